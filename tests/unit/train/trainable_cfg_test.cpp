#include "tools/train/trainable_cfg.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/train/made_pictures.hpp"
#include "tools/train/class_count.hpp"

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

TEST_CASE("TrainableCfg: a head that cannot be trained is an error that names the line", "[train][unit]") {
  CHECK(refusal("", "[connected]\noutput=16\nactivation=linear\n[softmax]\n") ==
        "small.cfg:8: [softmax]: this head cannot be trained; [yolo], [Gaussian_yolo] and [region] can");
  CHECK_THAT(
      refusal("", "[connected]\noutput=12\nactivation=linear\n[detection]\nclasses=2\ncoords=4\nside=1\nnum=2\n"),
      Contains("[detection]: this head cannot be trained"));
  CHECK_THAT(refusal("",
                     "[convolutional]\nfilters=11\nactivation=linear\n[Gaussian_yolo]\nclasses=2\nnum=1\nmask=0\n"
                     "anchors=2,3\nyolo_point=left_top\n"),
             Contains("small.cfg:8: [Gaussian_yolo]: a yolo_point other than center cannot be trained"));
}

TEST_CASE("TrainableCfg: new_coords needs a logistic convolution before it that no other layer reads",
          "[train][unit]") {
  const std::string head = "[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=2,3\nnew_coords=1\n";
  CHECK_THAT(refusal("", "[convolutional]\nfilters=7\nactivation=linear\n" + head),
             Contains("[yolo]: with new_coords, a convolution with activation=logistic must come before it"));
  const std::string logistic = "[convolutional]\nfilters=7\nactivation=logistic\n";
  CHECK_THAT(refusal("", logistic + head + "[route]\nlayers=0\n" + kHead),
             Contains("[yolo]: with new_coords, no other layer may read the convolution before it"));
  CHECK(train::parse_trainable_cfg("[net]\nwidth=16\nheight=16\nchannels=3\n" + logistic + head, "small.cfg").ok());
}

TEST_CASE("TrainableCfg: a network without a head is refused", "[train][unit]") {
  CHECK_THAT(refusal("[maxpool]\nsize=2\nstride=2\n", ""), Contains("no [yolo], [Gaussian_yolo] or [region] in it"));
}

TEST_CASE("TrainableCfg: a network with every kind of layer that learns is accepted unchanged", "[train][unit]") {
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

TEST_CASE("TrainableCfg: a number of channels other than three is an error that names the line", "[train][unit]") {
  CHECK_THAT(refusal_of("[net]\nwidth=16\nheight=16\n\nchannels=1\n" + kHead),
             Contains("small.cfg:5: [net]: channels=1 cannot be trained: pictures have 3"));
}

TEST_CASE("TrainableCfg: letter_box and layers that no head reads are accepted", "[train][unit]") {
  const std::string convolution = "[convolutional]\nfilters=4\nsize=1\nactivation=gelu\n";
  const auto cfg = train::parse_trainable_cfg(
      "[net]\nwidth=16\nheight=16\nletter_box=1\n" + convolution + convolution + "[route]\nlayers=-2\n" + kHead,
      "a.cfg");
  REQUIRE(cfg.ok());
  CHECK(cfg->network.letter_box);
}

TEST_CASE(
    "TrainableCfg: every published detector that is served can be trained, with two classes too, but for [detection]",
    "[train][unit][data][skips]") {
  const auto data = tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  int trainable = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "cfg")) {
    if (entry.path().extension() != ".cfg") continue;
    const auto text = tests::read_file(entry.path());
    const auto cfg = model::darknet::parse_cfg(text, "a.cfg");
    if (!cfg) continue;
    const auto network = model::darknet::build_network(*cfg, std::nullopt);
    if (!network || network->classes == 0 || network->head != model::HeadKind::kDetections) continue;
    INFO(entry.path());
    const bool is_first_yolo = text.find("[detection]") != std::string::npos;
    const auto parsed = train::parse_trainable_cfg(text, "a.cfg");
    INFO((parsed ? std::string() : parsed.error().message));
    CHECK(parsed.ok() == !is_first_yolo);
    if (!parsed) continue;
    ++trainable;
    const auto two = train::with_class_count(text, "a.cfg", 2);
    REQUIRE(two.ok());
    const auto changed = train::parse_trainable_cfg(*two, "a.cfg");
    INFO((changed ? std::string() : changed.error().message));
    REQUIRE(changed.ok());
    CHECK(changed->network.classes == 2);
  }
  CHECK(trainable > 50);
}
