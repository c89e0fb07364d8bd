// Which places of the heads answer for which objects.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/darknet/network.hpp"
#include "tools/train/sample.hpp"

namespace yolod::train {

// A [yolo] head: anchors at each cell of a map.
struct HeadGrid {
  int rows{0};
  int columns{0};
  float cell_width{0};  // pixels of the input
  float cell_height{0};
  float scale_x_y{1};
  std::vector<model::darknet::Anchor> anchors;

  [[nodiscard]] std::size_t candidates() const {
    return anchors.size() * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  }
  // The place of an answer among those of one picture: cells row by row, their anchors together, as the map lies in
  // memory. (The server's list is anchor-major.)
  [[nodiscard]] std::size_t index(int row, int column, std::size_t anchor) const {
    return (static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)) *
               anchors.size() +
           anchor;
  }
};

// `network` must be trainable (check_trainable() of trainable_network.hpp). In the cfg's order.
[[nodiscard]] std::vector<HeadGrid> head_grids(const model::darknet::Network& network);

struct Match {
  std::size_t index{0};   // HeadGrid::index()
  std::size_t target{0};  // of the picture's
};

// Width over width and height over height, whichever way is larger, must be below this for an anchor to be asked.
inline constexpr float kMaxShapeRatio = 4;

// For each head, what its places answer for in one picture. An object is asked of every anchor of every head whose
// sides are within kMaxShapeRatio of its own, and of the one whose shape is nearest in any case; there of the cell that
// holds its centre, and of the neighbours that can reach the centre too: a cell's answers go (scale_x_y - 1) / 2 cells
// beyond its edges. A place that two objects want goes to the one of the better shape. Ignored targets are asked of
// nobody. Pure.
[[nodiscard]] std::vector<std::vector<Match>> assign(std::span<const Target> targets, std::span<const HeadGrid> heads);

}  // namespace yolod::train
