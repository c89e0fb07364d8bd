#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/train/made_pictures.hpp"
#include "tools/train/learner.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

const std::string kHead =
    "[convolutional]\nfilters=7\nactivation=linear\n[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=2,3\n";

std::string refusal(const std::string& layers, const std::string& head = kHead) {
  const auto learner =
      train::Learner::create(tests::trainable_network("[net]\nwidth=16\nheight=16\nchannels=3\n" + layers + head), {});
  REQUIRE_FALSE(learner.ok());
  CHECK(learner.error().code == common::ErrorCode::kBadModel);
  return learner.error().message;
}

}  // namespace

TEST_CASE("TrainableNetwork: what has no gradients here is refused by name", "[train][unit]") {
  CHECK(refusal("[local_avgpool]\nsize=2\n") == "small.cfg:5: [local_avgpool]: this layer cannot be trained here");
  CHECK_THAT(refusal("[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=gelu\n"),
             Contains("[convolutional]: this activation cannot be trained here"));
  CHECK_THAT(refusal("[convolutional]\nfilters=4\nsize=3\npad=1\nstride=2\nantialiasing=1\nactivation=leaky\n"),
             Contains("antialiasing cannot be trained here"));
  CHECK_THAT(refusal("[upsample]\nstride=2\nscale=2\n"), Contains("[upsample]: scale cannot be trained here"));
  CHECK_THAT(refusal("",
                     "[convolutional]\nfilters=7\nactivation=logistic\n[yolo]\nclasses=2\nnum=1\nmask=0\n"
                     "anchors=2,3\nnew_coords=1\n"),
             Contains("[yolo]: new_coords cannot be trained here"));
}

TEST_CASE("TrainableNetwork: a head needs a plain convolution before it", "[train][unit]") {
  CHECK_THAT(refusal("",
                     "[convolutional]\nbatch_normalize=1\nfilters=7\nactivation=linear\n[yolo]\nclasses=2\n"
                     "num=1\nmask=0\nanchors=2,3\n"),
             Contains("a linear convolution without batch normalisation must come before it"));
}

TEST_CASE("TrainableNetwork: a network without a head is refused", "[train][unit]") {
  CHECK_THAT(refusal("[maxpool]\nsize=2\nstride=2\n", ""), Contains("no [yolo] in it"));
}
