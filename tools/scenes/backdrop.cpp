#include "tools/scenes/backdrop.hpp"

#include <algorithm>
#include <opencv2/core.hpp>

#include "tools/scenes/texture.hpp"

namespace yolod::scenes {
namespace {

Color cloud_color(const Air& air, Random& random) {
  switch (air.daytime) {
    case Daytime::kDay: return Color(1, 1, 1) * random.uniform(195, 250);
    case Daytime::kDusk: return air.horizon * random.uniform(0.6F, 1.1F);
    case Daytime::kNight: return air.horizon * random.uniform(0.8F, 1.6F);
  }
  return {};
}

}  // namespace

void draw_sky(const Stage& stage, Random& random) {
  auto& picture = stage.canvas.picture();
  const int bottom = std::clamp(static_cast<int>(stage.view.horizon) + 12, 1, picture.rows);
  auto sky = picture.rowRange(0, bottom);
  const bool cloudy = random.chance(stage.air.overcast ? 0.9F : 0.65F);
  // The texture shows a cloud where it is brighter than this.
  const float threshold = stage.air.overcast ? random.uniform(70, 120) : random.uniform(110, 165);
  const float softness = random.uniform(25, 80);
  const float thickness = random.uniform(0.5F, 1);
  const auto color = cloud_color(stage.air, random);
  const auto clouds = cloud_texture(random, {sky.cols, sky.rows});

  // The density of a cloud in steps, and the color of each step in a row.
  constexpr int kSteps = 32;
  std::array<std::uint8_t, 256> step_of{};
  for (std::size_t i = 0; cloudy && i < 256; ++i) {
    const float share = std::clamp((static_cast<float>(i) - threshold) / softness, 0.0F, 1.0F);
    step_of[i] = static_cast<std::uint8_t>((kSteps - 1) * share);
  }
  std::array<cv::Vec3b, kSteps> colors;
  for (int y = 0; y < bottom; ++y) {
    const float down = std::clamp(static_cast<float>(y) / stage.view.horizon, 0.0F, 1.0F);
    const auto clear = mix(stage.air.zenith, stage.air.horizon, down * down * (2 - down));
    const auto cloud = mix(color, stage.air.horizon, down * down);
    for (std::size_t step = 0; step < kSteps; ++step) {
      colors[step] = mix(clear, cloud, thickness * static_cast<float>(step) / (kSteps - 1));
    }
    const auto* texture = clouds.ptr<std::uint8_t>(y);
    auto* pixel = sky.ptr<cv::Vec3b>(y);
    for (int x = 0; x < sky.cols; ++x) pixel[x] = colors[step_of[texture[x]]];
  }
  if (stage.air.glare > 0) {
    const cv::Point2f sun{random.unit() * static_cast<float>(sky.cols),
                          stage.view.horizon * random.uniform(0.1F, 0.8F)};
    const float unit = 1 / stage.view.standard();
    stage.canvas.glow(sun, random.uniform(60, 160) * unit, Color(200, 235, 255));
    stage.canvas.glow(sun, random.uniform(20, 35) * unit, Color(700, 700, 700));
  }
}

void draw_skyline(const Stage& stage, Random& random) {
  const auto& view = stage.view;
  const float unit = 1 / view.standard();
  const auto width = static_cast<float>(view.size.width);
  const float distance = random.uniform(300, 700);
  const bool hills = random.chance(0.35F);
  const auto base = hills ? Color(60, 85, 70) : Color(125, 125, 130);
  float height = random.uniform(4, 20) * unit;
  for (float x = -5; x < width;) {
    const float step = (hills ? 6 : random.uniform(6, 34)) * unit;
    height = hills ? std::clamp(height + random.uniform(-2.2F, 2.2F) * unit, 2 * unit, 40 * unit)
                   : random.uniform(2, 45) * unit;
    // More distant parts are paler.
    const float away = distance * (hills ? 0.6F : random.uniform(0.3F, 0.9F));
    const auto color = stage.air.surface(base * random.uniform(0.85F, 1.15F), away);
    const float top = view.horizon - height;
    stage.canvas.fill({cv::Point2f(x, view.horizon + 14 * unit),
                       {x, top},
                       {x + step + 0.5F, top},
                       {x + step + 0.5F, view.horizon + 14 * unit}},
                      color);
    if (stage.air.night() && !hills) {
      for (int i = random.integer(0, 5); i > 0; --i) {
        const cv::Point2f at{x + random.unit() * step, view.horizon - random.unit() * height};
        const Color light = random.chance(0.7F) ? Color(90, 180, 230) : Color(200, 210, 210);
        stage.canvas.fill({at, {at.x + unit, at.y}, {at.x + unit, at.y + unit}, {at.x, at.y + unit}},
                          light * random.uniform(0.3F, 0.8F));
      }
    }
    x += step;
  }
}

}  // namespace yolod::scenes
