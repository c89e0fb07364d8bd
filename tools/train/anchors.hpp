// Anchors from the sizes of labels: k-means whose distance is 1 - IoU (Redmon and Farhadi, "YOLO9000: Better, Faster,
// Stronger", 2017, section 2, "Dimension Clusters").
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/darknet/network.hpp"

namespace yolod::train {

using model::darknet::Anchor;

// Of two boxes with the same centre.
[[nodiscard]] float shape_iou(const Anchor& a, const Anchor& b);

struct AnchorClusters {
  std::vector<Anchor> anchors;  // by area, smallest first
  double mean_iou{0};           // of a size with the anchor nearest to it
};

// `sizes`: widths and heights of labels, above 0, at least `count`; `count` at least 1. The same for the same sizes: it
// starts from sizes evenly spaced in order of area, and takes means until none changes place (or 300 times). Pure.
[[nodiscard]] AnchorClusters cluster_anchors(std::span<const Anchor> sizes, std::size_t count);

}  // namespace yolod::train
