// The sky and what stands at its edge. Drawn at once: all else lies before it.
#pragma once

#include "tools/scenes/stage.hpp"

namespace yolod::scenes {

void draw_sky(const Stage& stage, Random& random);
void draw_skyline(const Stage& stage, Random& random);

}  // namespace yolod::scenes
