#include "tools/scenes/signs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <tuple>
#include <utility>
#include <vector>

namespace yolod::scenes {
namespace {

const Color kSignRed(45, 35, 200);
const Color kSignBlue(165, 85, 25);
const Color kSignYellow(30, 190, 245);
const Color kSignGreen(75, 120, 25);
const Color kSignWhite(235, 236, 236);
const Color kSignBlack(30, 30, 30);

enum class SignKind { kDisc, kRing, kTriangle, kDiamond, kOctagon, kPanel };

using Corners = std::vector<cv::Point2f>;

Corners ring_of(const cv::Point2f& center, float radius, int corners, float turned) {
  Corners points;
  for (int k = 0; k < corners; ++k) {
    const float angle = turned + 6.2831853F * static_cast<float>(k) / static_cast<float>(corners);
    points.emplace_back(center.x + radius * std::cos(angle), center.y + radius * std::sin(angle));
  }
  return points;
}

Corners bar(const cv::Point2f& center, float half_width, float half_height) {
  return {{center.x - half_width, center.y - half_height},
          {center.x + half_width, center.y - half_height},
          {center.x + half_width, center.y + half_height},
          {center.x - half_width, center.y + half_height}};
}

// Draws a shaft and an arrowhead, `radius` long from the middle, in one of four directions.
void draw_sign_arrow(Patch& patch, const cv::Point2f& center, float radius, int quarter, const Color& color) {
  const auto place = [&](float x, float y) {
    for (int i = 0; i < quarter; ++i) std::tie(x, y) = std::pair(-y, x);
    return center + radius * cv::Point2f(x, y);
  };
  patch.fill(std::array{place(-0.15F, 0), place(0.15F, 0), place(0.15F, 0.8F), place(-0.15F, 0.8F)}, color);
  patch.fill(std::array{place(-0.5F, 0.05F), place(0, -0.8F), place(0.5F, 0.05F)}, color);
}

void draw_digits(Patch& patch, Random& random, const cv::Point2f& center, float radius, const Color& color) {
  for (const float side : {-0.27F, 0.27F}) {
    const cv::Point2f at(center.x + side * radius, center.y);
    patch.fill(bar(at, 0.2F * radius, 0.38F * radius), color);
    patch.fill(bar({at.x, at.y + (random.chance(0.5F) ? 0.15F : -0.15F) * radius}, 0.08F * radius, 0.12F * radius),
               kSignWhite);
  }
}

void draw_face(Patch& patch, Random& random, SignKind kind, const cv::Point2f& center, float radius,
               const std::function<Color(const Color&)>& seen) {
  constexpr float kUpright = -1.5707963F;
  const auto circle = [&](float r, const Color& color) { patch.fill(ring_of(center, r, 18, 0), seen(color)); };
  switch (kind) {
    case SignKind::kDisc:
      if (random.chance(0.5F)) {
        circle(radius, kSignBlue);
        draw_sign_arrow(patch, center, 0.75F * radius, random.integer(0, 3), seen(kSignWhite));
      } else {
        circle(radius, kSignRed);
        patch.fill(bar(center, 0.7F * radius, 0.18F * radius), seen(kSignWhite));
      }
      return;
    case SignKind::kRing:
      circle(radius, kSignRed);
      circle(0.78F * radius, random.chance(0.75F) ? kSignWhite : kSignBlue);
      if (random.chance(0.7F)) draw_digits(patch, random, center, radius, seen(kSignBlack));
      return;
    case SignKind::kTriangle: {
      const float turned = random.chance(0.6F) ? kUpright : -kUpright;
      patch.fill(ring_of(center, 1.1F * radius, 3, turned), seen(kSignRed));
      patch.fill(ring_of(center, 0.75F * radius, 3, turned), seen(random.chance(0.8F) ? kSignWhite : kSignYellow));
      if (random.chance(0.6F)) patch.fill(bar(center, 0.08F * radius, 0.28F * radius), seen(kSignBlack));
      return;
    }
    case SignKind::kDiamond:
      patch.fill(ring_of(center, 1.1F * radius, 4, 0), seen(random.chance(0.5F) ? kSignWhite : kSignBlack));
      patch.fill(ring_of(center, 0.95F * radius, 4, 0), seen(kSignYellow));
      if (random.chance(0.5F)) draw_sign_arrow(patch, center, 0.5F * radius, random.integer(0, 3), seen(kSignBlack));
      return;
    case SignKind::kOctagon:
      patch.fill(ring_of(center, 1.05F * radius, 8, 0.3927F), seen(kSignWhite));
      patch.fill(ring_of(center, 0.97F * radius, 8, 0.3927F), seen(kSignRed));
      patch.fill(bar(center, 0.6F * radius, 0.2F * radius), seen(kSignWhite));
      return;
    case SignKind::kPanel: {
      const auto color = random.chance(0.5F) ? kSignBlue : kSignGreen;
      patch.fill(bar(center, 1.5F * radius, 0.8F * radius), seen(kSignWhite));
      patch.fill(bar(center, 1.44F * radius, 0.74F * radius), seen(color));
      for (const float y : {-0.35F, 0.15F}) {
        patch.fill(
            bar({center.x + 0.2F * radius, center.y + y * radius}, random.uniform(0.5F, 0.9F) * radius, 0.12F * radius),
            seen(kSignWhite));
      }
      draw_sign_arrow(patch, {center.x - 1.05F * radius, center.y}, 0.45F * radius, random.integer(0, 3),
                      seen(kSignWhite));
      return;
    }
  }
}

Color loud_color(Random& random) {
  static const std::array<Color, 8> kLoud{Color(40, 35, 225),  Color(70, 190, 50),   Color(30, 200, 245),
                                          Color(215, 120, 40), Color(240, 240, 240), Color(30, 30, 30),
                                          Color(180, 60, 190), Color(40, 130, 250)};
  return random.pick(kLoud);
}

}  // namespace

void draw_sign(const Stage& stage, Random& random, float x, float y, float z, float size) {
  const auto kind = static_cast<SignKind>(random.integer(0, 5));
  const auto center = stage.view.at(x, y, z);
  const float radius = size / 2 * stage.view.scale(z);
  const auto area = area_of(std::array{cv::Point2f(center.x - 1.55F * radius, center.y - 1.15F * radius),
                                       cv::Point2f(center.x + 1.55F * radius, center.y + 1.15F * radius)},
                            stage.canvas.bounds());
  if (area.empty() || radius < 0.8F) return;
  // Signs reflect the headlights.
  const float bright = stage.air.headlights > 0 ? random.uniform(1.2F, 2.4F) : random.uniform(0.8F, 1.05F);
  Patch patch(area, radius < 12 ? 4 : 2);
  draw_face(patch, random, kind, center, radius,
            [&](const Color& color) { return stage.air.surface(color * bright, z); });
  stage.canvas.put(patch);
}

void draw_advertisement(const Stage& stage, Random& random, const cv::Rect2f& metres, float z) {
  const auto& view = stage.view;
  const bool shines = stage.air.night() ? random.chance(0.75F) : random.chance(0.15F);
  const float level = random.uniform(0.6F, 1);
  const auto shown = [&](const Color& color) {
    return shines ? stage.air.source(color * level, z) : stage.air.surface(color, z);
  };
  const auto corner = view.at(metres.x, metres.y + metres.height, z);
  const auto opposite = view.at(metres.x + metres.width, metres.y, z);
  const auto area = area_of(std::array{corner, opposite}, stage.canvas.bounds());
  if (area.empty()) return;
  const float width = opposite.x - corner.x;
  const float height = opposite.y - corner.y;
  Patch patch(area, width < 40 ? 3 : 2);
  const auto middle = (corner + opposite) / 2;
  patch.fill(bar(middle, width / 2, height / 2), shown(random.chance(0.5F) ? Color(60, 60, 60) : Color(200, 200, 200)));
  patch.fill(bar(middle, width / 2 - 0.04F * width, height / 2 - 0.04F * width), shown(loud_color(random)));
  for (int i = random.integer(2, 6); i > 0; --i) {
    const float size = random.uniform(0.08F, 0.3F) * std::min(width, height);
    const cv::Point2f at{middle.x + random.uniform(-0.32F, 0.32F) * width,
                         middle.y + random.uniform(-0.32F, 0.32F) * height};
    const auto color = shown(loud_color(random));
    switch (random.integer(0, 3)) {
      case 0: patch.fill(ring_of(at, size, 18, 0), color); break;
      case 1: draw_sign_arrow(patch, at, size, random.integer(0, 3), color); break;
      case 2: patch.fill(bar(at, size * random.uniform(0.8F, 1.3F), size * 0.35F), color); break;
      default: patch.fill(bar(at, size, 0.22F * size), color); break;
    }
  }
  stage.canvas.put(patch);
  if (shines && stage.air.night())
    stage.canvas.glow(middle, 0.9F * std::max(width, height), shown(Color(150, 150, 150)) * 0.15F);
}

}  // namespace yolod::scenes
