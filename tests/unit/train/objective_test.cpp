#include "tools/train/objective.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "model/darknet/network.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tools/train/trainable_cfg.hpp"

using namespace yolod;
using train::Objective;

namespace {

std::vector<Objective> objectives_of(const std::string& text) {
  const auto objectives = train::darknet_objectives("[net]\nwidth=8\nheight=8\n" + text, "a.cfg");
  INFO((objectives ? std::string() : objectives.error().message));
  REQUIRE(objectives.ok());
  return *objectives;
}

std::string objective_refusal(const std::string& text) {
  const auto objectives = train::darknet_objectives("[net]\nwidth=8\nheight=8\n" + text, "a.cfg");
  REQUIRE_FALSE(objectives.ok());
  CHECK(objectives.error().code == common::ErrorCode::kBadModel);
  return objectives.error().message;
}

}  // namespace

TEST_CASE("Objective: each head takes the values of its keys", "[train][unit]") {
  const auto objectives = objectives_of(
      "[yolo]\niou_thresh=0.213\nignore_thresh = .7\n[convolutional]\nfilters=1\n"
      "[Gaussian_yolo]\nignore_thresh=.6\niou_thresh=0.25\n[region]\nthresh=.4\nrescore=1\n");
  CHECK(objectives == std::vector<Objective>{{0.213F, 0.7F, 0}, {0.25F, 0.6F, 0}, {1, 0.4F, 1}});
}

TEST_CASE("Objective: a head without the keys has Darknet's defaults", "[train][unit]") {
  CHECK(objectives_of("[yolo]\n[Gaussian_yolo]\n[region]\n") == std::vector<Objective>(3, {1, 0.5F, 0}));
  CHECK(objectives_of("[convolutional]\nfilters=1\n").empty());
}

TEST_CASE("Objective: a bad value is an error that names the line", "[train][unit]") {
  CHECK(objective_refusal("[yolo]\nclasses=2\niou_thresh=1.5\n") ==
        "a.cfg:6: [yolo]: iou_thresh: 1.5 is out of range, 0 to 1 is allowed");
  CHECK(objective_refusal("[Gaussian_yolo]\nignore_thresh=-0.1\n") ==
        "a.cfg:5: [Gaussian_yolo]: ignore_thresh: -0.1 is out of range, 0 to 1 is allowed");
  CHECK(objective_refusal("[yolo]\n[yolo]\nignore_thresh=half\n") ==
        "a.cfg:6: [yolo]: ignore_thresh: \"half\" is not a number, 0 to 1 is allowed");
  CHECK(objective_refusal("[region]\nthresh=2\n") == "a.cfg:5: [region]: thresh: 2 is out of range, 0 to 1 is allowed");
  CHECK(objective_refusal("[yolo\n") != "");
}

TEST_CASE("Objective: every published detector that can be trained has an objective for each head",
          "[train][unit][data][skips]") {
  const auto data = tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "cfg")) {
    if (entry.path().extension() != ".cfg") continue;
    const auto cfg = train::read_trainable_cfg(entry.path());
    if (!cfg) continue;
    INFO(entry.path());
    const auto objectives = train::darknet_objectives(cfg->text, "a.cfg");
    INFO((objectives ? std::string() : objectives.error().message));
    REQUIRE(objectives.ok());
    CHECK(objectives->size() == model::darknet::heads(cfg->network).size());
    ++count;
  }
  CHECK(count > 50);
}
