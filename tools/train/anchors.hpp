// Computes anchors from the sizes of labels, by k-means with the distance 1 - IoU (Redmon and Farhadi, "YOLO9000:
// Better, Faster, Stronger", 2017, section 2, "Dimension Clusters").
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/darknet/network.hpp"

namespace yolod::train {

using model::darknet::Anchor;

// Returns the IoU of two boxes with the same centre.
[[nodiscard]] float shape_iou(const Anchor& a, const Anchor& b);

struct AnchorClusters {
  std::vector<Anchor> anchors;  // by area, smallest first
  double mean_iou{0};           // mean over the sizes of the IoU with the nearest anchor
};

// `sizes` are widths and heights of labels. All are above 0, and there are at least `count` of them. `count` is at
// least 1. The first anchors are sizes at even distances in the order of area. The function then moves the anchors
// to the means of their clusters until no size changes its cluster, at most 300 times. It is pure, and the same
// sizes give the same anchors.
[[nodiscard]] AnchorClusters cluster_anchors(std::span<const Anchor> sizes, std::size_t count);

}  // namespace yolod::train
