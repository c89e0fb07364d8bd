#include "tools/scenes/air.hpp"

#include <algorithm>
#include <cmath>

namespace yolod::scenes {
namespace {

Color clipped(const Color& color) {
  return {std::clamp(color[0], 0.0F, 255.0F), std::clamp(color[1], 0.0F, 255.0F), std::clamp(color[2], 0.0F, 255.0F)};
}

void set_day(Air& air, Random& random) {
  air.overcast = random.chance(0.4F);
  const float level = air.overcast ? random.uniform(0.6F, 0.85F) : random.uniform(0.75F, 1.1F);
  const float warm = random.uniform(-0.06F, 0.06F);
  air.ambient = Color(1 - warm, 1, 1 + warm) * level;
  if (air.overcast) {
    const float grey = random.uniform(150, 225);
    air.zenith = Color(grey, grey * 0.97F, grey * 0.93F) * random.uniform(0.75F, 1);
    air.horizon = {grey + 8, grey + 6, grey + 3};
  } else {
    const float blue = random.uniform(0.7F, 1.05F);
    air.zenith = clipped(Color{210, random.uniform(130, 165), random.uniform(70, 110)} * blue);
    const Color pale(240, 228, random.uniform(200, 235));
    air.horizon = clipped(pale * random.uniform(0.85F, 1));
  }
}

void set_dusk(Air& air, Random& random) {
  const float level = random.uniform(0.3F, 0.55F);
  const bool red_sky = random.chance(0.6F);
  air.ambient = (red_sky ? Color(0.85F, 0.9F, 1.1F) : Color(1.15F, 1, 0.88F)) * level;
  air.zenith = Color(130, 95, 75) * random.uniform(0.5F, 1);
  air.horizon = red_sky ? Color{random.uniform(90, 150), random.uniform(130, 170), random.uniform(190, 240)}
                        : Color(190, 165, 140) * random.uniform(0.7F, 1);
  air.headlights = random.chance(0.5F) ? random.uniform(0.05F, 0.2F) : 0;
}

void set_night(Air& air, Random& random) {
  static const std::array<Color, 4> kStreetLight{Color(0.6F, 0.85F, 1.2F), Color(0.8F, 0.95F, 1.1F), Color(1, 1, 1),
                                                 Color(1.15F, 1, 0.85F)};
  const auto& light = random.pick(kStreetLight);
  air.ambient = light * random.uniform(0.14F, 0.3F);
  const float sky = random.uniform(6, 30);
  air.zenith = Color{sky * random.uniform(1, 1.6F), sky, sky * random.uniform(0.7F, 1)} * 0.6F;
  air.horizon = Color(sky * 1.2F, sky * 1.2F, sky * random.uniform(1, 1.8F)) + Color(6, 6, 6);
  air.headlights = random.uniform(0.1F, 0.5F);
}

}  // namespace

float Air::clearness(float z) const { return std::exp(-z / clear_distance); }

Color Air::surface(const Color& albedo, float z) const {
  const float near = headlights > 0 ? headlights * std::exp(-z / 16) : 0;
  const auto lit = albedo.mul(ambient + Color(near, near, near));
  return clipped(mix(horizon, lit, clearness(z)));
}

Color Air::source(const Color& color, float z) const {
  return clipped(mix(horizon, color, std::pow(clearness(z), 0.35F)));
}

Air random_air(Random& random) {
  constexpr std::array<float, 3> kDaytimes{0.57F, 0.14F, 0.29F};
  Air air;
  air.daytime = static_cast<Daytime>(random.weighted(kDaytimes));
  switch (air.daytime) {
    case Daytime::kDay: set_day(air, random); break;
    case Daytime::kDusk: set_dusk(air, random); break;
    case Daytime::kNight: set_night(air, random); break;
  }
  air.clear_distance = air.night() ? random.uniform(400, 2000) : random.uniform(250, 1200);
  if (random.chance(0.2F)) {
    air.rain = random.uniform(0.2F, 1);
    air.clear_distance = random.uniform(120, 400);
    const float grey = (air.horizon[0] + air.horizon[1] + air.horizon[2]) / 3;
    air.horizon = mix(air.horizon, Color(grey, grey, grey), 0.7F);
    air.zenith = mix(air.zenith, air.horizon, 0.6F);
    air.overcast = true;
  } else if (random.chance(0.13F)) {
    air.clear_distance = random.uniform(30, 110);
    if (air.night()) air.horizon += Color(22, 24, 26) * random.uniform(0.5F, 1.5F);
    air.zenith = mix(air.zenith, air.horizon, 0.9F);
    air.overcast = true;
  } else if (!air.night() && !air.overcast && random.chance(0.25F)) {
    air.glare = random.uniform(0.3F, 1);
  }
  return air;
}

}  // namespace yolod::scenes
