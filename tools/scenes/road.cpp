#include "tools/scenes/road.hpp"

#include <algorithm>
#include <opencv2/core.hpp>

#include "tools/scenes/texture.hpp"

namespace yolod::scenes {
namespace {

const Color kPaint(205, 208, 208);
constexpr float kNear = 1.2F;

void draw_lane_lines(const Stage& stage, Random& random, const Street& street) {
  const float width = 0.13F;
  const bool yellow_middle = random.chance(0.3F);
  for (int line = 0; line <= street.lanes; ++line) {
    const float x = street.left + 0.3F +
                    static_cast<float>(line) * (street.right - street.left - 0.6F) / static_cast<float>(street.lanes);
    const int from_left = street.side > 0 ? street.oncoming : street.lanes - street.oncoming;
    const bool middle = line == from_left;
    const Color color = middle && yellow_middle ? Color(50, 190, 225) : kPaint;
    if (line == 0 || line == street.lanes || middle) {
      stage.ground(x - width / 2, x + width / 2, kNear, street.junction, color);
      stage.ground(x - width / 2, x + width / 2, street.junction + 16, Street::kEnd, color);
      continue;
    }
    for (float z = 2; z < 90; z += 9) {
      if (z + 3 > street.junction && z < street.junction + 16) continue;
      stage.ground(x - width / 2, x + width / 2, z, z + 3, color);
    }
  }
}

void draw_crossing(const Stage& stage, Random& random, const Street& street) {
  const float left = street.side > 0 ? street.left + Street::kLane * static_cast<float>(street.oncoming) : street.left;
  const float right =
      street.side > 0 ? street.right : street.right - Street::kLane * static_cast<float>(street.oncoming);
  stage.ground(left, right, street.junction, street.junction + 0.45F, kPaint);
  if (random.chance(0.25F)) return;
  const float z = street.junction + 1.2F;
  for (float x = street.left + 0.4F; x + 0.5F < street.right; x += 1.05F)
    stage.ground(x, x + 0.5F, z, z + 3.2F, kPaint);
}

void draw_lane_arrow(const Stage& stage, float x, float z) {
  const auto color = stage.air.surface(kPaint, z);
  const auto& view = stage.view;
  stage.ground(x - 0.09F, x + 0.09F, z, z + 2.6F, kPaint);
  stage.canvas.fill(std::array{view.at(x - 0.4F, 0, z + 2.4F), view.at(x + 0.4F, 0, z + 2.4F), view.at(x, 0, z + 4)},
                    color);
}

// Returns how many metres to each side the road must extend to leave the picture from `near` to `far`.
float half_width(const View& view, float near, float far) {
  return 0.9F * static_cast<float>(view.size.width) / view.scale(near) * far / near;
}

// Adds stains and grain.
void roughen(const Stage& stage, Random& random) {
  auto& picture = stage.canvas.picture();
  const int top = std::clamp(static_cast<int>(stage.view.horizon), 0, picture.rows - 1);
  auto below = picture.rowRange(top, picture.rows);
  const auto& ambient = stage.air.ambient;
  const float level = (ambient[0] + ambient[1] + ambient[2]) / 3;
  const double stains = level * random.uniform(0.05F, 0.22F);
  const double grain = level * random.uniform(0.03F, 0.17F);
  cv::addWeighted(below, 1, stain_texture(random, below.size()), stains, -128 * stains, below);
  cv::addWeighted(below, 1, noise_texture(random, below.size()), grain, -128 * grain, below);
}

}  // namespace

Street random_street(Random& random, float junction) {
  Street street;
  street.side = random.chance(0.85F) ? 1 : -1;
  street.oncoming = random.integer(0, 3);
  const int ours = random.integer(1, 3);
  street.lanes = street.oncoming + ours;
  const int own = random.integer(0, ours - 1);  // counted from the kerb
  const float to_kerb = Street::kLane * (static_cast<float>(own) + 0.5F) + random.uniform(-0.4F, 0.6F);
  const float to_other = Street::kLane * static_cast<float>(street.lanes) - to_kerb + random.uniform(0, 0.8F);
  street.right = street.side > 0 ? to_kerb : to_other;
  street.left = street.side > 0 ? -to_other : -to_kerb;
  street.pavement = random.uniform(1.5F, 5);
  street.walls_left = street.left - street.pavement - random.uniform(0, 6);
  street.walls_right = street.right + street.pavement + random.uniform(0, 6);
  street.junction = junction;
  return street;
}

void draw_road(const Stage& stage, Random& random, const Street& street) {
  static const std::array<Color, 4> kGrounds{Color(130, 138, 142), Color(60, 110, 85), Color(90, 125, 130),
                                             Color(105, 110, 112)};
  // Draws strips, so that haze can affect the more distant ones more strongly.
  constexpr std::array<float, 7> kStrips{kNear, 8, 16, 30, 55, 110, Street::kEnd};
  const auto& soil = random.pick(kGrounds);
  const auto ground = soil * random.uniform(0.8F, 1.15F);
  const auto pavement = Color(140, 145, 148) * random.uniform(0.7F, 1.2F);
  const float grey = random.uniform(62, 125) * (stage.air.rain > 0 ? 0.75F : 1);
  const Color asphalt{grey * random.uniform(0.97F, 1.06F), grey, grey * random.uniform(0.96F, 1.04F)};
  for (std::size_t i = kStrips.size() - 1; i > 0; --i) {
    const float near = kStrips[i - 1];
    const float far = kStrips[i];
    const auto cover = [&](float left, float right, const Color& color) {
      stage.canvas.fill_roughly(stage.lying(left, right, near, far), stage.air.surface(color, (near + far) / 2));
    };
    const float half = half_width(stage.view, near, far);
    cover(-half, half, ground);
    cover(street.left - street.pavement, street.right + street.pavement, pavement);
    cover(street.left, street.right, asphalt);
  }
  // Draws the street that crosses.
  const float half = half_width(stage.view, street.junction + 4.5F, street.junction + 14);
  stage.ground(-half, half, street.junction + 4.5F, street.junction + 14, asphalt);
  for (const float kerb : {street.left, street.right - 0.15F}) {
    stage.ground(kerb, kerb + 0.15F, kNear, street.junction + 3, Color(165, 168, 170));
  }
  draw_lane_lines(stage, random, street);
  draw_crossing(stage, random, street);
  if (random.chance(0.4F)) {
    const float x = random.uniform(-0.4F, 0.4F);
    draw_lane_arrow(stage, x, random.uniform(4, 14));
  }
  roughen(stage, random);
}

}  // namespace yolod::scenes
