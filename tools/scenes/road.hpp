// The road, its lines and pavements. Drawn at once: all that stands on it is drawn later.
#pragma once

#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"

namespace yolod::scenes {

void draw_road(const Stage& stage, Random& random, const Street& street);

}  // namespace yolod::scenes
