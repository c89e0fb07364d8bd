#include "tools/train/picture_source.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <opencv2/core.hpp>
#include <set>
#include <string>

#include "tests/support/temporary_directory.hpp"
#include "tools/scenes/scene_files.hpp"

using namespace yolod;
using namespace yolod::train;
using Catch::Matchers::Contains;

namespace {

// Writes pictures of 64 x 48 with a box each, as NAME.jpg and NAME.txt.
void write_picture(const tests::TemporaryDirectory& folder, const std::string& name) {
  scenes::Scene scene;
  scene.picture = cv::Mat(48, 64, CV_8UC3, cv::Scalar(40, 80, 120));
  scene.lights.push_back({scenes::Light::kYellow, {16, 12, 32, 24}, 1});
  REQUIRE(scenes::write_scene(scene, folder.path(), name).ok());
}

std::vector<PictureFile> files_named(std::size_t count) {
  std::vector<PictureFile> files;
  for (std::size_t i = 0; i < count; ++i) files.push_back({"p" + std::to_string(100 + i) + ".jpg", {}});
  return files;
}

std::set<std::string> names_of(const std::vector<PictureFile>& files) {
  std::set<std::string> names;
  for (const auto& file : files) names.insert(file.file.string());
  return names;
}

}  // namespace

TEST_CASE("PictureFolder: pictures come by name with their labels", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  for (const auto* name : {"b", "a", "c"}) write_picture(folder, name);
  REQUIRE(std::filesystem::remove(folder.path() / "c.txt"));
  const auto read = read_picture_folder(folder.path(), folder.path(), 2);
  REQUIRE(read.ok());
  REQUIRE(read->pictures.size() == 3);
  CHECK(read->pictures[0].file.filename() == "a.jpg");
  REQUIRE(read->pictures[0].truths.size() == 1);
  CHECK(read->pictures[0].truths[0].class_id == 1);
  CHECK(read->pictures[2].truths.empty());
  CHECK(read->unlabelled == 1);
}

TEST_CASE("PictureFolder: an error in a label names the file and the line", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  for (const auto* name : {"a", "b"}) write_picture(folder, name);
  const auto one_class = read_picture_folder(folder.path(), folder.path(), 1);
  REQUIRE_FALSE(one_class.ok());
  CHECK_THAT(one_class.error().message,
             Contains("a.txt:1: class 1: there are 1") && Contains("2 label files") && Contains("label-check"));
  const tests::TemporaryDirectory empty;
  CHECK_THAT(read_picture_folder(folder.path(), empty.path(), 2).error().message,
             Contains("no label file for any picture"));
  CHECK_THAT(read_picture_folder(empty.path(), folder.path(), 2).error().message, Contains("no picture in"));
  CHECK_FALSE(read_picture_folder(folder.path() / "absent", folder.path(), 2).ok());
}

TEST_CASE("HoldOut: the same share of the pictures is held out each time", "[train][unit]") {
  auto files = files_named(64);
  const auto out = hold_out(files, 0.25, 1);
  CHECK(out.size() == 16);
  CHECK(files.size() == 48);
  auto again = files_named(64);
  std::reverse(again.begin(), again.end());
  CHECK(names_of(hold_out(again, 0.25, 1)) == names_of(out));
  auto other = files_named(64);
  CHECK(names_of(hold_out(other, 0.25, 2)) != names_of(out));
  // Another picture changes little.
  auto more = files_named(65);
  const auto with_more = names_of(hold_out(more, 0.25, 1));
  std::size_t kept = 0;
  for (const auto& name : names_of(out)) kept += with_more.count(name);
  CHECK(kept >= 15);
}

TEST_CASE("HoldOut: neither part is ever empty", "[train][unit]") {
  auto two = files_named(2);
  CHECK(hold_out(two, 0.001, 1).size() == 1);
  CHECK(two.size() == 1);
  auto three = files_named(3);
  CHECK(hold_out(three, 0.999, 1).size() == 2);
}

TEST_CASE("PictureSource: a picture is decoded once, with its boxes in pixels", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  write_picture(folder, "a");
  PictureSource source(read_picture_folder(folder.path(), folder.path(), 2)->pictures, {32, 32});
  RandomStream random(1, 0, 0);
  const auto picture = source.choose(0, random);
  CHECK(picture->picture.size() == cv::Size(64, 48));
  REQUIRE(picture->objects.size() == 1);
  CHECK(picture->objects[0].box.x == Approx(16));
  CHECK(picture->objects[0].box.height == Approx(24));
  CHECK(source.choose(1, random) == picture);
}

TEST_CASE("PictureSource: without room for pictures they are decoded again, and large pictures are shrunk",
          "[train][unit]") {
  const tests::TemporaryDirectory folder;
  write_picture(folder, "a");
  PictureSource source(read_picture_folder(folder.path(), folder.path(), 2)->pictures, {16, 12}, 10);
  RandomStream random(1, 0, 0);
  const auto picture = source.choose(0, random);
  CHECK(picture->picture.size() == cv::Size(32, 24));
  CHECK(picture->objects.at(0).box.x == Approx(8));
  CHECK(source.choose(1, random) != picture);
}

TEST_CASE("PictureSource: the error for a file that is not a picture names the file", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  write_picture(folder, "a");
  (void)folder.write("a.jpg", "no picture");
  PictureSource source(read_picture_folder(folder.path(), folder.path(), 2)->pictures, {32, 32});
  RandomStream random(1, 0, 0);
  CHECK_THROWS_WITH(source.choose(0, random), Contains("a.jpg: "));
}
