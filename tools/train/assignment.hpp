// Assigns objects to the places of the heads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tools/train/head_grid.hpp"
#include "tools/train/sample.hpp"

namespace yolod::train {

struct Match {
  std::size_t index{0};   // HeadGrid::index()
  std::size_t target{0};  // index of the object in its picture's list
};

// An anchor fits an object if the ratio of their widths and the ratio of their heights, each at least 1, are below
// this.
inline constexpr float kMaxShapeRatio = 4;

// A logistic reaches the ends of its range only for large inputs. The assignment does not use this share of the
// range at each end.
inline constexpr float kReachMargin = 0.05F;

// Returns the matches of one picture for each head. An object is assigned to every anchor of every head that fits
// it, and always to the anchor with the nearest shape. For each such anchor it is assigned to the cell that holds
// its centre, and to each neighbouring cell that reaches the centre. The boxes of a cell reach HeadGrid::reach()
// cells beyond its edges, less kReachMargin of the range of its logistic. If two objects want the same place, the
// object whose shape fits better gets it. Ignored targets are assigned to no place. A head whose objective has a
// shape_iou has Darknet's rule instead (objective.hpp). Pure.
[[nodiscard]] std::vector<std::vector<Match>> assign(std::span<const Target> targets, std::span<const HeadGrid> heads);

}  // namespace yolod::train
