// Draws the road, its lines and pavements. It is drawn before everything that stands on it.
#pragma once

#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"

namespace yolod::scenes {

void draw_road(const Stage& stage, Random& random, const Street& street);

}  // namespace yolod::scenes
