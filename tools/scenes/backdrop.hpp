// Draws the sky and the things on the horizon. It is drawn first, because everything else lies in front of it.
#pragma once

#include "tools/scenes/stage.hpp"

namespace yolod::scenes {

void draw_sky(const Stage& stage, Random& random);
void draw_skyline(const Stage& stage, Random& random);

}  // namespace yolod::scenes
