// Which places of the heads answer for which objects.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tools/train/head_grid.hpp"
#include "tools/train/sample.hpp"

namespace yolod::train {

struct Match {
  std::size_t index{0};   // HeadGrid::index()
  std::size_t target{0};  // of the picture's
};

// Width over width and height over height, whichever way is larger, must be below this for an anchor to be asked.
inline constexpr float kMaxShapeRatio = 4;

// A logistic comes near its ends only for large inputs: this share of its range, at each end, is left alone.
inline constexpr float kReachMargin = 0.05F;

// For each head, what its places answer for in one picture. An object is asked of every anchor of every head whose
// sides are within kMaxShapeRatio of its own, and of the one whose shape is nearest in any case; there of the cell that
// holds its centre, and of the neighbours that reach the centre with some ease: a cell's answers go HeadGrid::reach()
// cells beyond its edges, less kReachMargin of the range of its logistic. A place that two objects want goes to the one
// of the better shape. Ignored targets are asked of nobody. Pure.
[[nodiscard]] std::vector<std::vector<Match>> assign(std::span<const Target> targets, std::span<const HeadGrid> heads);

}  // namespace yolod::train
