#include "tools/scenes/weather.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolod::scenes {
namespace {

// Draws reflections on the road: the picture above the road, upside down and stretched.
void reflect(cv::Mat& picture, const Plan& plan, Random& random) {
  const int horizon = std::clamp(static_cast<int>(plan.view.horizon) + 4, 0, picture.rows);
  const int height = std::min(horizon, picture.rows - horizon);
  if (height < 8) return;
  const int tall = std::max(3, static_cast<int>(picture.rows * random.uniform(0.04F, 0.1F)));
  cv::Mat mirrored;
  cv::flip(picture.rowRange(horizon - height, horizon), mirrored, 0);
  cv::blur(mirrored, mirrored, {3, tall});
  auto road = picture.rowRange(horizon, horizon + height);
  const float share = random.uniform(0.15F, 0.4F) * std::min(1.0F, plan.air.rain + 0.3F);
  cv::addWeighted(road, 1 - share, mirrored, share, 0, road);
}

void draw_streaks(cv::Mat& picture, const Plan& plan, Random& random) {
  const float unit = 1 / plan.view.standard();
  const float slant = random.uniform(-0.35F, 0.35F);
  const int count = static_cast<int>(60 + 260 * plan.air.rain);
  const float grey = plan.air.night() ? random.uniform(90, 150) : random.uniform(190, 235);
  for (int i = 0; i < count; ++i) {
    float x = random.uniform(0, static_cast<float>(picture.cols));
    const auto top = random.integer(-10, picture.rows - 1);
    const int length = static_cast<int>(random.uniform(4, 18) * unit);
    const float share = random.uniform(0.06F, 0.3F);
    for (int y = top; y < top + length; ++y, x += slant) {
      const int column = static_cast<int>(x);
      if (y < 0 || y >= picture.rows || column < 0 || column >= picture.cols) continue;
      auto& pixel = picture.at<cv::Vec3b>(y, column);
      for (int c = 0; c < 3; ++c) {
        const auto old = static_cast<float>(pixel[c]);
        pixel[c] = static_cast<std::uint8_t>(old + (std::max(grey, old) - old) * share);
      }
    }
  }
}

// Draws drops on the windscreen: the background behind a drop, out of focus and brighter.
void draw_drops(cv::Mat& picture, const Plan& plan, Random& random) {
  const float unit = 1 / plan.view.standard();
  for (int i = random.integer(4, 30); i > 0; --i) {
    const int radius = std::max(2, static_cast<int>(random.uniform(1.5F, 4.5F) * unit));
    const int column = random.integer(0, picture.cols - 1);
    const int row = random.integer(0, picture.rows - 1);
    const cv::Rect around(column - radius, row - radius, 2 * radius + 1, 2 * radius + 1);
    const auto area = around & cv::Rect(0, 0, picture.cols, picture.rows);
    auto part = picture(area);
    const auto mean = cv::mean(part);
    for (int y = 0; y < part.rows; ++y) {
      for (int x = 0; x < part.cols; ++x) {
        const int dx = x + area.x - around.x - radius;
        const int dy = y + area.y - around.y - radius;
        if (dx * dx + dy * dy > radius * radius) continue;
        auto& pixel = part.at<cv::Vec3b>(y, x);
        for (int c = 0; c < 3; ++c) {
          pixel[c] = cv::saturate_cast<std::uint8_t>(0.55 * pixel[c] + 0.45 * mean[c] + (dy > 0 ? 10 : -6));
        }
      }
    }
  }
}

}  // namespace

void draw_weather(cv::Mat& picture, const Plan& plan, Random& random) {
  if (plan.air.rain > 0) {
    reflect(picture, plan, random);
    draw_streaks(picture, plan, random);
    if (random.chance(0.4F)) draw_drops(picture, plan, random);
  }
  if (plan.air.glare > 0) {
    const float share = 0.22F * plan.air.glare * random.unit();
    picture.convertTo(picture, -1, 1 - share, 235 * share);
  }
}

}  // namespace yolod::scenes
