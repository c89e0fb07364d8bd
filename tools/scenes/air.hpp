// The light and the weather of a scene: what becomes of a color on its way to the camera.
#pragma once

#include "tools/scenes/canvas.hpp"
#include "tools/scenes/random.hpp"

namespace yolod::scenes {

enum class Daytime { kDay, kDusk, kNight };

struct Air {
  Daytime daytime{Daytime::kDay};
  bool overcast{false};
  float rain{0};   // 0: none, 1: pouring
  float glare{0};  // of a low sun, 0 to 1
  Color ambient;   // what of a color is seen, by channel, 0..1.2
  Color zenith;
  Color horizon;            // also of far things, and of fog
  float clear_distance{0};  // metres in which haze takes 63 % of a color
  float headlights{0};      // our own, on what is near

  [[nodiscard]] bool night() const { return daytime == Daytime::kNight; }
  // Of what is still seen at this distance, 0 to 1.
  [[nodiscard]] float clearness(float z) const;
  [[nodiscard]] Color surface(const Color& albedo, float z) const;
  // Of what shines itself.
  [[nodiscard]] Color source(const Color& color, float z) const;
};

[[nodiscard]] Air random_air(Random& random);

}  // namespace yolod::scenes
