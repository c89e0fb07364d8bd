#include "tools/train/augment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

using namespace yolod;
using namespace yolod::train;

namespace {

constexpr model::image::Size kInput{96, 96};

// Makes a dark picture of 128 x 96 with a bright green box of class 2.
std::shared_ptr<const LabelledPicture> picture_with(const cv::Rect& box, float visible = 1) {
  auto picture = std::make_shared<LabelledPicture>();
  picture->picture = cv::Mat(96, 128, CV_8UC3, cv::Scalar(20, 20, 20));
  cv::rectangle(picture->picture, box, cv::Scalar(40, 220, 40), cv::FILLED);
  picture->objects.push_back({2, cv::Rect2f(box), visible});
  return picture;
}

struct Composed {
  std::vector<float> pixels;
  std::vector<Target> targets;
};

Composed composed(const std::shared_ptr<const LabelledPicture>& picture, Stage stage, std::uint64_t place,
                  model::image::Fit fit = model::image::Fit::kStretch) {
  Composed result;
  result.pixels.resize(static_cast<std::size_t>(kInput.width) * kInput.height * 3);
  RandomStream random(5, 0, place);
  AugmentSettings settings;
  settings.input = kInput;
  settings.fit = fit;
  result.targets = compose([&](RandomStream&) { return picture; }, stage, settings, random, result.pixels);
  return result;
}

// Returns the difference of green and red at a place, 0 to 1.
float greenness(const Composed& input, float x, float y) {
  const auto column = std::clamp(static_cast<int>(x), 0, kInput.width - 1);
  const auto row = std::clamp(static_cast<int>(y), 0, kInput.height - 1);
  const auto pixel = static_cast<std::size_t>(row * kInput.width + column) * 3;
  return input.pixels[pixel + 1] - input.pixels[pixel];
}

}  // namespace

TEST_CASE("Augment: targets lie where the objects are, in every stage and fit", "[train][unit]") {
  const auto scene = picture_with({40, 30, 24, 32});
  std::size_t seen = 0;
  const auto fit = GENERATE(model::image::Fit::kStretch, model::image::Fit::kLetterbox);
  for (const auto stage : {Stage::kMixed, Stage::kPlain}) {
    for (std::uint64_t place = 0; place < 40; ++place) {
      const auto input = composed(scene, stage, place, fit);
      for (const auto& target : input.targets) {
        ++seen;
        CHECK(target.class_id == 2);
        CHECK(target.x - target.width / 2 >= -0.01F);
        CHECK(target.y - target.height / 2 >= -0.01F);
        CHECK(target.x + target.width / 2 <= 96.01F);
        CHECK(target.y + target.height / 2 <= 96.01F);
        CHECK(greenness(input, target.x, target.y) > 0.2F);
        // Check just inside two corners, if the box has room for that.
        if (target.width < 6 || target.height < 6) continue;
        CHECK(greenness(input, target.x - target.width / 2 + 2, target.y - target.height / 2 + 2) > 0.1F);
        CHECK(greenness(input, target.x + target.width / 2 - 2, target.y + target.height / 2 - 2) > 0.1F);
      }
    }
  }
  CHECK(seen > 100);
}

TEST_CASE("Augment: without changes the whole picture is shown, mirrored or not", "[train][unit]") {
  const auto scene = picture_with({16, 24, 16, 24});
  bool as_it_is = false;
  bool mirrored = false;
  for (std::uint64_t place = 0; place < 20; ++place) {
    const auto input = composed(scene, Stage::kPlain, place);
    REQUIRE(input.targets.size() == 1);
    const auto& target = input.targets.front();
    CHECK(target.y == Approx(36));
    CHECK(target.width == Approx(12));  // 128 columns become 96
    CHECK(target.height == Approx(24));
    as_it_is = as_it_is || target.x == Approx(18);
    mirrored = mirrored || target.x == Approx(78);
  }
  CHECK(as_it_is);
  CHECK(mirrored);
}

TEST_CASE("Augment: objects that are too small or too hidden are ignored", "[train][unit]") {
  CHECK_FALSE(composed(picture_with({40, 30, 6, 10}), Stage::kPlain, 0).targets.at(0).ignored);
  CHECK(composed(picture_with({40, 30, 3, 4}), Stage::kPlain, 0).targets.at(0).ignored);
  CHECK(composed(picture_with({40, 30, 16, 24}, 0.3F), Stage::kPlain, 0).targets.at(0).ignored);
}

TEST_CASE("Augment: the same random numbers make the same picture", "[train][unit]") {
  const auto scene = picture_with({40, 30, 24, 32});
  const auto once = composed(scene, Stage::kMixed, 3);
  const auto again = composed(scene, Stage::kMixed, 3);
  CHECK(once.pixels == again.pixels);
  CHECK(once.pixels != composed(scene, Stage::kMixed, 4).pixels);
}

TEST_CASE("Augment: a letterboxed picture keeps its shape, with grey around it", "[train][unit]") {
  const auto picture = picture_with({16, 24, 16, 24});
  const auto input = composed(picture, Stage::kPlain, 0, model::image::Fit::kLetterbox);
  REQUIRE(input.targets.size() == 1);
  // The picture of 128 x 96 becomes 96 x 72 and begins at row 12.
  CHECK(input.targets.front().width == Approx(12));
  CHECK(input.targets.front().height == Approx(18));
  CHECK(input.targets.front().y == Approx(12 + 27));
  CHECK(input.pixels[3 * (5 * 96 + 40)] == Approx(0.5).margin(0.01));
}
