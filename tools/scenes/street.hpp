// The street ahead of the camera.
#pragma once

#include "tools/scenes/random.hpp"

namespace yolod::scenes {

// Positions are in metres to the right of the camera, and ahead of it.
struct Street {
  static constexpr float kLane = 3.3F;
  static constexpr float kEnd = 260;

  float left{0};  // the kerbs
  float right{0};
  float pavement{0};    // its width
  float walls_left{0};  // where the buildings begin
  float walls_right{0};
  int lanes{2};
  int oncoming{1};    // how many of the lanes are on the other side
  float junction{0};  // the stop line
  float side{1};      // 1: traffic keeps to the right; -1: to the left
};

[[nodiscard]] Street random_street(Random& random, float junction);

}  // namespace yolod::scenes
