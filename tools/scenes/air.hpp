// The light and the weather of a scene: how they change a color between a surface and the camera.
#pragma once

#include "tools/scenes/canvas.hpp"
#include "tools/scenes/random.hpp"

namespace yolod::scenes {

enum class Daytime { kDay, kDusk, kNight };

struct Air {
  Daytime daytime{Daytime::kDay};
  bool overcast{false};
  float rain{0};   // 0: none, 1: heavy
  float glare{0};  // from a low sun, 0 to 1
  Color ambient;   // the visible part of a color, by channel, 0..1.2
  Color zenith;
  Color horizon;            // also the color of distant things and of fog
  float clear_distance{0};  // metres in which haze absorbs 63 % of a color
  float headlights{0};      // the strength of the car's own headlights on near things

  [[nodiscard]] bool night() const { return daytime == Daytime::kNight; }
  // Returns the part of a color that remains visible at this distance, 0 to 1.
  [[nodiscard]] float clearness(float z) const;
  [[nodiscard]] Color surface(const Color& albedo, float z) const;
  // Returns the visible color of a light source.
  [[nodiscard]] Color source(const Color& color, float z) const;
};

[[nodiscard]] Air random_air(Random& random);

}  // namespace yolod::scenes
