// Objective has the choices by which heads differ in training: the places to which an object belongs, and the
// objectness that places learn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::train {

// The default is the objective of networks that begin with random weights in some layers. Plain values.
struct Objective {
  // If it has a value, an object belongs to its own cell alone, to the anchors with the nearest shape, and to every
  // anchor whose shape has more than this IoU with the object's. If it is empty, ratios of sides decide (assign()).
  std::optional<float> shape_iou;
  // An unmatched place whose box has more than this IoU with an object does not learn that no object is there.
  float ignore_iou{0.7F};
  // The target objectness of a matched place is 1 - ciou_in_objectness * (1 - max(0, CIoU of its box)). With 1,
  // candidates with better boxes get higher scores. With 0, the target is always 1.
  double ciou_in_objectness{1};

  friend bool operator==(const Objective&, const Objective&) = default;
};

// Returns the objectives with which AlexeyAB's Darknet trains the heads of a cfg, in the order of the cfg:
//   [yolo], [Gaussian_yolo]  shape_iou is `iou_thresh` (default 1: only the nearest anchors), ignore_iou is
//                            `ignore_thresh` (default 0.5), and ciou_in_objectness is 0
//   [region]                 shape_iou is 1, ignore_iou is `thresh` (default 0.5), and ciou_in_objectness is `rescore`
//                            (default 0). Darknet rescores by the IoU instead of the CIoU.
// Returns kBadModel with `source:line: [section]: what` for a value that is not a number of the range 0 to 1. Pure.
[[nodiscard]] common::Outcome<std::vector<Objective>> darknet_objectives(const std::string& cfg_text,
                                                                         const std::string& source_name);

}  // namespace yolod::train
