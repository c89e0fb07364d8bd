#include "tools/train/trainable_cfg.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/train/made_pictures.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

const std::string kHead =
    "[convolutional]\nfilters=7\nactivation=linear\n[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=2,3\n";

std::string refusal_of(const std::string& text) {
  const auto cfg = train::parse_trainable_cfg(text, "small.cfg");
  REQUIRE_FALSE(cfg.ok());
  CHECK(cfg.error().code == common::ErrorCode::kBadModel);
  return cfg.error().message;
}

std::string refusal(const std::string& layers, const std::string& head = kHead) {
  return refusal_of("[net]\nwidth=16\nheight=16\nchannels=3\n" + layers + head);
}

}  // namespace

TEST_CASE("TrainableCfg: what has no gradients here is refused by name", "[train][unit]") {
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

TEST_CASE("TrainableCfg: a head needs a plain convolution before it", "[train][unit]") {
  CHECK_THAT(refusal("",
                     "[convolutional]\nbatch_normalize=1\nfilters=7\nactivation=linear\n[yolo]\nclasses=2\n"
                     "num=1\nmask=0\nanchors=2,3\n"),
             Contains("a linear convolution without batch normalisation must come before it"));
}

TEST_CASE("TrainableCfg: a network without a head is refused", "[train][unit]") {
  CHECK_THAT(refusal("[maxpool]\nsize=2\nstride=2\n", ""), Contains("no [yolo] in it"));
}

TEST_CASE("TrainableCfg: a network of every kind of layer that learns is taken as it is", "[train][unit]") {
  const auto cfg = train::parse_trainable_cfg(tests::kTrainableCfg, "small.cfg");
  INFO((cfg.ok() ? std::string() : cfg.error().message));
  REQUIRE(cfg.ok());
  CHECK(cfg->text == tests::kTrainableCfg);
  CHECK(cfg->network.layers.size() == 18);
  const tests::TemporaryDirectory folder;
  const auto read = train::read_trainable_cfg(folder.write("small.cfg", tests::kTrainableCfg));
  REQUIRE(read.ok());
  CHECK(read->text == tests::kTrainableCfg);
  CHECK_FALSE(train::read_trainable_cfg(folder.path() / "absent.cfg").ok());
}

TEST_CASE("TrainableCfg: an input that no scene is made for is refused by name and line", "[train][unit]") {
  CHECK_THAT(refusal_of("[net]\nwidth=16\nheight=16\n\nchannels=1\n" + kHead),
             Contains("small.cfg:5: [net]: channels=1 cannot be trained here"));
  CHECK_THAT(refusal_of("[net]\nwidth=16\nheight=16\nletter_box=1\n" + kHead),
             Contains("small.cfg:4: [net]: letter_box cannot be trained here"));
}

TEST_CASE("TrainableCfg: a convolution that no head reads is refused", "[train][unit]") {
  const std::string convolution = "[convolutional]\nfilters=4\nsize=1\nactivation=leaky\n";
  // The head reads the first alone.
  CHECK_THAT(refusal(convolution + convolution + "[route]\nlayers=-2\n"),
             Contains("small.cfg:9: [convolutional]: no head reads it"));
  // Behind the head.
  CHECK_THAT(refusal(convolution, kHead + "[route]\nlayers=0\n" + convolution), Contains("no head reads it"));
  CHECK(train::parse_trainable_cfg("[net]\nwidth=16\nheight=16\nchannels=3\n" + convolution + convolution +
                                       "[shortcut]\nfrom=-2\nactivation=linear\n" + kHead,
                                   "small.cfg")
            .ok());
}
