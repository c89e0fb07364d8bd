// Draws the houses along the street.
#pragma once

#include <vector>

#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"

namespace yolod::scenes {

void add_buildings(std::vector<Item>& items, Random& random, const Street& street);

}  // namespace yolod::scenes
