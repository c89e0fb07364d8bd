#include "tools/scenes/scene.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <future>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "tools/scenes/render.hpp"
#include "tools/scenes/scene_shares.hpp"

using namespace yolod::scenes;

namespace {

constexpr std::uint64_t kSeed = kFirstTestSeed + 1;

bool same_pixels(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

bool same_lights(const Scene& a, const Scene& b) {
  return std::equal(a.lights.begin(), a.lights.end(), b.lights.begin(), b.lights.end(),
                    [](const LabelledLight& x, const LabelledLight& y) {
                      return x.light == y.light && x.box == y.box && x.visible == y.visible;
                    });
}

// Returns the hue that a lit lens adds to a picture, in degrees from 0 to 360. Each pixel is weighted by the amount
// that the lens adds.
float added_hue(const cv::Mat& with, const cv::Mat& without, const cv::Rect& area) {
  cv::Scalar sum;
  cv::Mat added;
  cv::subtract(with(area), without(area), added);
  sum = cv::sum(added);
  const double most = std::max({sum[0], sum[1], sum[2]});
  cv::Mat pixel(1, 1, CV_32FC3,
                cv::Vec3f(static_cast<float>(sum[0] / most), static_cast<float>(sum[1] / most),
                          static_cast<float>(sum[2] / most)));
  cv::cvtColor(pixel, pixel, cv::COLOR_BGR2HSV);
  return pixel.at<cv::Vec3f>(0, 0)[0];
}

bool hue_fits(Light light, float hue) {
  switch (light) {
    case Light::kRed:
    case Light::kRedArrow: return hue < 22 || hue > 335;
    case Light::kYellow: return hue > 24 && hue < 64;
    case Light::kGreen:
    case Light::kGreenArrow: return hue > 80 && hue < 185;
    case Light::kOff: return false;
  }
  return false;
}

}  // namespace

TEST_CASE("Scene: the same seed and index give the same picture, on any thread", "[scenes][unit]") {
  for (std::uint64_t index = 0; index < 12; ++index) {
    const auto draw = [index] { return draw_scene(kSeed, index); };
    const auto here = draw();
    auto first = std::async(std::launch::async, draw);
    auto second = std::async(std::launch::async, draw);
    for (const auto& there : {first.get(), second.get()}) {
      CHECK(same_pixels(here.picture, there.picture));
      CHECK(same_lights(here, there));
      CHECK(here.night == there.night);
    }
  }
}

TEST_CASE("Scene: another index or seed gives another picture", "[scenes][unit]") {
  const auto scene = draw_scene(kSeed, 3);
  CHECK_FALSE(same_pixels(scene.picture, draw_scene(kSeed, 4).picture));
  CHECK_FALSE(same_pixels(scene.picture, draw_scene(kSeed + 1, 3).picture));
}

TEST_CASE("Scene: pictures are 8-bit BGR and have the requested size", "[scenes][unit]") {
  for (const auto& [width, height] :
       {std::pair{512, 384}, std::pair{1024, 768}, std::pair{1400, 1000}, std::pair{64, 64}}) {
    for (std::uint64_t index = 0; index < 4; ++index) {
      const auto scene = draw_scene(kSeed, index, {width, height});
      CHECK(scene.picture.type() == CV_8UC3);
      CHECK(scene.picture.size() == cv::Size(width, height));
    }
  }
}

TEST_CASE("Scene: small, hidden and night lights, and each class, have their share of 500 scenes", "[scenes][unit]") {
  SceneShares shares;
  for (std::uint64_t index = 0; index < 500; ++index) {
    const auto scene = draw_scene(kSeed, index);
    CHECK(scene.lights.size() <= 6);
    shares.add(scene);
  }
  INFO(shares.text());
  CHECK(shares.small() >= 0.20);
  CHECK(shares.partly_hidden() >= 0.20);
  CHECK(shares.at_night() >= 0.25);
  CHECK(shares.empty_scenes() >= 10);
  CHECK(shares.lights() >= 1000);
  for (std::size_t i = 0; i < kLightCount; ++i) CHECK(shares.of(static_cast<Light>(i)) >= 0.08);
}

TEST_CASE("Scene: boxes lie inside the picture, and labelled lights are large and visible enough", "[scenes][unit]") {
  for (std::uint64_t index = 0; index < 120; ++index) {
    const auto scene = draw_scene(kSeed + 2, index);
    for (const auto& [light, box, visible] : scene.lights) {
      CHECK(box.x >= 0);
      CHECK(box.y >= 0);
      CHECK(box.x + box.width <= static_cast<float>(scene.picture.cols));
      CHECK(box.y + box.height <= static_cast<float>(scene.picture.rows));
      CHECK(std::max(box.width, box.height) >= kShortestSide);
      CHECK(std::min(box.width, box.height) >= 1);
      CHECK(visible >= kLeastVisible);
      CHECK(visible <= 1);
      CHECK(light <= Light::kOff);
    }
  }
}

TEST_CASE("Scene: a box is as large as the area that its light changes", "[scenes][unit]") {
  constexpr double kTolerance = 1.5;  // pixels
  int checked = 0;
  for (std::uint64_t index = 0; index < 120; ++index) {
    const auto plan = plan_scene(kSeed + 3, index, {});
    std::vector<std::size_t> drawn;
    const auto with = render_visible(plan, drawn);
    for (const auto& light : with.lights) {
      // Check only lights that nothing hides and that are not as dark as the night behind them.
      if (light.label.visible < 0.97F || light.outline < 0.8F) continue;
      std::vector<std::size_t> others = drawn;
      others.erase(std::find(others.begin(), others.end(), light.planned));
      cv::Mat changed;
      cv::absdiff(with.picture, render(plan, others).picture, changed);
      cv::cvtColor(changed, changed, cv::COLOR_BGR2GRAY);
      const auto tight = cv::boundingRect(changed > 1);
      const auto& box = light.label.box;
      INFO("scene " << index << ", box " << box << ", changed " << tight);
      CHECK(std::abs(tight.x - box.x) <= kTolerance);
      CHECK(std::abs(tight.y - box.y) <= kTolerance);
      CHECK(std::abs(tight.x + tight.width - box.x - box.width) <= kTolerance);
      CHECK(std::abs(tight.y + tight.height - box.y - box.height) <= kTolerance);
      ++checked;
    }
  }
  CHECK(checked > 100);
}

TEST_CASE("Scene: a lit light adds the color of its class to the picture", "[scenes][unit]") {
  std::array<int, kLightCount> checked{};
  for (std::uint64_t index = 0; index < 150; ++index) {
    const auto plan = plan_scene(kSeed + 4, index, {});
    std::vector<std::size_t> drawn;
    const auto lit = render_visible(plan, drawn);
    const auto unlit = render(plan, drawn, Shown::kUnlit);
    for (const auto& light : lit.lights) {
      const auto& [shows, box, visible] = light.label;
      if (shows == Light::kOff || std::max(box.width, box.height) < 16) continue;
      const float hue = added_hue(lit.picture, unlit.picture, cv::Rect(box));
      INFO("scene " << index << ", " << kLightNames[static_cast<std::size_t>(shows)] << " at " << box << ", hue "
                    << hue);
      CHECK(hue_fits(shows, hue));
      ++checked[static_cast<std::size_t>(shows)];
    }
  }
  for (std::size_t i = 0; i + 1 < kLightCount; ++i) CHECK(checked[i] > 8);
}

TEST_CASE("Scene: without its lights no part of a scene shines like a light", "[scenes][unit]") {
  const auto plan = plan_scene(kSeed + 5, 1, {});
  std::vector<std::size_t> drawn;
  const auto with = render_visible(plan, drawn);
  const auto without = render(plan, drawn, Shown::kLeftOut);
  CHECK(without.lights.empty());
  // Outside the lights both pictures are equal, because each object has a separate sequence of random numbers.
  cv::Mat changed;
  cv::absdiff(with.picture, without.picture, changed);
  for (const auto& light : with.lights) {
    auto box = cv::Rect(light.label.box);
    box = cv::Rect(box.x - 2, box.y - 2, box.width + 5, box.height + 5) & cv::Rect(0, 0, changed.cols, changed.rows);
    changed(box).setTo(cv::Scalar::all(0));
  }
  CHECK(cv::norm(changed, cv::NORM_INF) == 0);
}
