// Draws the trees along the street.
#pragma once

#include <vector>

#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"

namespace yolod::scenes {

// A crown of leaves; the trunk stands under its middle. Lengths are in metres.
struct Tree {
  float x{0};
  float z{0};
  float trunk{3};   // the height of the lowest leaves
  float radius{2};  // the radius of the crown
};

void add_trees(std::vector<Item>& items, Random& random, const Street& street);
// Returns a tree with leaves.
[[nodiscard]] Item tree_item(Random& random, const Tree& tree);

}  // namespace yolod::scenes
