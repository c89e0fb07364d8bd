#include "tools/scenes/signal_head.hpp"

#include <algorithm>

namespace yolod::scenes {
namespace {

Color random_body(Random& random, bool must_be_seen) {
  const std::array<Color, 6> kBodies{Color(38, 38, 38),   Color(52, 48, 46),    Color(48, 70, 40),
                                     Color(30, 175, 225), Color(118, 116, 112), Color(55, 200, 240)};
  constexpr std::array<float, 6> kLikely{0.3F, 0.14F, 0.14F, 0.17F, 0.15F, 0.1F};
  constexpr std::array<float, 6> kSeen{0.05F, 0.05F, 0.1F, 0.3F, 0.3F, 0.2F};
  const auto body = kBodies[random.weighted(must_be_seen ? kSeen : kLikely)];
  return body * random.uniform(0.85F, 1.15F);
}

Color random_lit_color(Random& random, LensColor lens) {
  constexpr int kShades = 3;
  static const std::array<Color, kShades> kReds{Color(30, 30, 240), Color(55, 40, 255), Color(40, 62, 255)};
  static const std::array<Color, kShades> kYellows{Color(20, 185, 255), Color(40, 205, 252), Color(5, 165, 255)};
  static const std::array<Color, kShades> kGreens{Color(130, 230, 40), Color(195, 245, 70), Color(90, 230, 70)};
  switch (lens) {
    case LensColor::kRed: return random.pick(kReds);
    case LensColor::kYellow: return random.pick(kYellows);
    case LensColor::kGreen: return random.pick(kGreens);
  }
  return {};
}

LensColor lens_of(Light light) {
  switch (light) {
    case Light::kRed:
    case Light::kRedArrow: return LensColor::kRed;
    case Light::kYellow: return LensColor::kYellow;
    case Light::kGreen:
    case Light::kGreenArrow:
    case Light::kOff: return LensColor::kGreen;
  }
  return LensColor::kGreen;
}

// Chooses the lenses: mostly three, sometimes two, or a fourth for an arrow.
void choose_lenses(SignalHead& head, Random& random) {
  const auto shown = lens_of(head.light);
  if (random.chance(0.1F)) {
    head.lens_count = 2;
    head.lenses = {LensColor::kRed, LensColor::kGreen};
    if (shown == LensColor::kYellow) {
      head.lenses = random.chance(0.5F)
                        ? std::array{LensColor::kRed, LensColor::kYellow, LensColor::kGreen, LensColor::kGreen}
                        : std::array{LensColor::kYellow, LensColor::kGreen, LensColor::kGreen, LensColor::kGreen};
    }
  } else if (random.chance(0.06F) && head.light != Light::kRedArrow) {
    head.lens_count = 4;
  }
  if (head.light == Light::kOff) return;
  for (int i = 0; i < head.lens_count; ++i) {
    if (head.lenses[static_cast<std::size_t>(i)] != shown) continue;
    head.lit = i;
    if (head.light != Light::kGreenArrow) return;  // the arrow is the last lens of a head with two green lenses
  }
}

}  // namespace

cv::Size2f SignalHead::outline() const {
  const float along = static_cast<float>(lens_count) * section() + 0.08F * lens_diameter + 2 * plate_margin;
  const float across = 1.24F * lens_diameter + 2 * plate_margin;
  return lying ? cv::Size2f(along, across) : cv::Size2f(across, along);
}

SignalHead random_head(Random& random, Light light, bool night) {
  SignalHead head;
  head.light = light;
  head.lying = random.chance(0.17F);
  choose_lenses(head, random);
  const bool dark_and_off = night && light == Light::kOff;
  head.arrow_way = static_cast<ArrowWay>(random.integer(0, 2));
  head.lens_diameter = random.chance(0.35F) ? random.uniform(0.2F, 0.22F) : random.uniform(0.28F, 0.32F);
  constexpr std::array<float, 3> kVisors{0.15F, 0.6F, 0.25F};
  head.visor = static_cast<Visor>(random.weighted(kVisors));
  head.visor_length = head.lens_diameter * random.uniform(0.5F, 0.95F);
  constexpr std::array<float, 4> kPlates{0.56F, 0.24F, 0.13F, 0.07F};
  head.backplate = static_cast<Backplate>(random.weighted(kPlates));
  // A dark plate is invisible in front of a dark sky.
  if (night && head.backplate == Backplate::kDark && (dark_and_off || random.chance(0.65F))) {
    head.backplate = Backplate::kBordered;
  }
  if (head.backplate != Backplate::kNone) head.plate_margin = head.lens_diameter * random.uniform(0.22F, 0.5F);
  head.plate_border = random.chance(0.5F) ? Color(225, 228, 230) : Color(40, 200, 240);
  head.body = random_body(random, dark_and_off);
  head.rounded = random.chance(0.5F);
  head.matrix = random.chance(0.5F);
  head.smoked = random.chance(0.35F);
  if (head.lit >= 0) head.lit_color = random_lit_color(random, lens_of(light));
  head.whiteness = night ? random.uniform(0.15F, 0.6F) : random.uniform(0, 0.35F);
  // Deep visors would hide the lens from the side.
  const float most = head.visor == Visor::kTunnel ? 0.6F : 0.85F;
  head.yaw = std::clamp(random.normal(0, 0.3F), -most, most);
  head.roll = random.normal(0, 0.025F);
  return head;
}

}  // namespace yolod::scenes
