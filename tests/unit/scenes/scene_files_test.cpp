#include "tools/scenes/scene_files.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "model/eval/yolo_labels.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tools/scenes/demo_scenes.hpp"
#include "tools/scenes/plan.hpp"
#include "tools/scenes/scene_shares.hpp"

using namespace yolod::scenes;
using yolod::tests::read_file;

namespace {

Scene made_scene() {
  Scene scene;
  scene.picture = cv::Mat(200, 400, CV_8UC3, cv::Scalar(10, 20, 30));
  scene.lights = {{Light::kGreenArrow, {40, 20, 20, 50}, 1}, {Light::kOff, {380, 0, 20, 8}, 0.5F}};
  scene.night = true;
  return scene;
}

}  // namespace

TEST_CASE("SceneFiles: the reader of label files reads the same labels", "[scenes][unit]") {
  const auto truths = yolod::model::eval::parse_yolo_labels(label_text(made_scene()), kLightCount, "made");
  REQUIRE(truths.ok());
  REQUIRE(truths->size() == 2);
  CHECK((*truths)[0].class_id == 4);
  CHECK((*truths)[0].box.x_min == Approx(0.1).margin(1e-5));
  CHECK((*truths)[0].box.y_min == Approx(0.1).margin(1e-5));
  CHECK((*truths)[0].box.x_max == Approx(0.15).margin(1e-5));
  CHECK((*truths)[0].box.y_max == Approx(0.35).margin(1e-5));
  CHECK((*truths)[1].class_id == 5);
  CHECK((*truths)[1].box.x_max == Approx(1).margin(1e-5));
}

TEST_CASE("SceneFiles: a scene is a JPEG and a label file of its name", "[scenes][unit]") {
  const yolod::tests::TemporaryDirectory folder;
  REQUIRE(write_scene(made_scene(), folder.path(), "0007").ok());
  REQUIRE(write_names(folder.path()).ok());
  const auto picture = cv::imread((folder.path() / "0007.jpg").string());
  CHECK(picture.size() == cv::Size(400, 200));
  CHECK(read_file(folder.path() / "0007.txt") == label_text(made_scene()));
  CHECK(read_file(folder.path() / "demo.names") == "red\nyellow\ngreen\nred-arrow\ngreen-arrow\noff\n");
}

TEST_CASE("SceneFiles: a missing folder is an error", "[scenes][unit]") {
  const yolod::tests::TemporaryDirectory folder;
  CHECK_FALSE(write_scene(made_scene(), folder.path() / "absent", "0").ok());
  CHECK_FALSE(write_names(folder.path() / "absent").ok());
}

TEST_CASE("SceneShares: each light is counted by its kind", "[scenes][unit]") {
  SceneShares shares;
  CHECK(shares.small() == 0);
  shares.add(made_scene());
  auto day = made_scene();
  day.night = false;
  day.lights = {{Light::kRed, {0, 0, 5, 12}, 0.9F}, {Light::kRed, {50, 50, 20, 60}, 0.84F}};
  shares.add(day);
  shares.add({day.picture, {}, false});
  CHECK(shares.scenes() == 3);
  CHECK(shares.empty_scenes() == 1);
  CHECK(shares.lights() == 4);
  CHECK(shares.at_night() == 0.5);
  CHECK(shares.partly_hidden() == 0.5);
  // 12 pixels of 400 are 12.5 of 416.
  CHECK(shares.small() == 0.25);
  CHECK(shares.of(Light::kRed) == 0.5);
  CHECK(shares.of(Light::kYellow) == 0);
}

TEST_CASE("DemoScenes: the scenes show three classes by day, a night, and rain", "[scenes][unit]") {
  const auto day = draw_scene(kDemoSeed, kDemoScenes[0].index, kDemoOptions);
  CHECK_FALSE(day.night);
  REQUIRE(day.lights.size() >= 3);
  std::set<Light> classes;
  for (const auto& light : day.lights) classes.insert(light.light);
  CHECK(classes.size() >= 3);
  const auto night = draw_scene(kDemoSeed, kDemoScenes[1].index, kDemoOptions);
  CHECK(night.night);
  CHECK(night.lights.size() >= 3);
  CHECK(draw_scene(kDemoSeed, kDemoScenes[2].index, kDemoOptions).lights.size() >= 3);
  CHECK(plan_scene(kDemoSeed, kDemoScenes[2].index, kDemoOptions).air.rain > 0);
}

TEST_CASE("DemoScenes: the shipped pictures equal the pictures that are drawn now", "[scenes][unit]") {
  const auto folder = yolod::tests::source_directory() / "model" / "data";
  for (const auto& [name, index] : kDemoScenes) {
    INFO(name);
    const auto scene = draw_scene(kDemoSeed, index, kDemoOptions);
    CHECK(read_file(folder / (std::string(name) + ".txt")) == label_text(scene));
    const auto shipped = cv::imread((folder / (std::string(name) + ".jpg")).string());
    REQUIRE(shipped.size() == scene.picture.size());
    // Only the compression makes a difference.
    CHECK(cv::norm(shipped, scene.picture, cv::NORM_L1) / (3.0 * static_cast<double>(shipped.total())) < 4);
  }
}
