// Draws street lamps, road signs, advertisements, lit shop signs, people and wires.
#pragma once

#include <vector>

#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"

namespace yolod::scenes {

void add_furniture(std::vector<Item>& items, Random& random, const Street& street);
// Distances are in metres.
[[nodiscard]] Item pole_item(Random& random, float x, float z, float width, float height);

}  // namespace yolod::scenes
