// The loss of YOLOv4 (Bochkovskiy, Wang and Liao, 2020): CIoU for boxes, binary cross entropies for objectness and
// classes; for classes of a softmax its cross entropy. The uncertainties of [Gaussian_yolo] learn the likelihood of
// what its boxes miss (Choi, Chun, Kim and Lee, "Gaussian YOLOv3", 2019, equation 6); boxes themselves learn by CIoU
// there too.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <vector>

#include "tools/train/head_grid.hpp"
#include "tools/train/loss_values.hpp"
#include "tools/train/sample.hpp"

namespace yolod::train {

struct LossWeights {
  double box{7};
  double object{1};
  double classes{1};
  double uncertainty{0.1};
  // A place that answers for an object is asked for an objectness of 1 less this share of what its box's CIoU, or 0
  // where that is below 0, lacks of 1: candidates with better boxes come first.
  double ciou_in_objectness{1};
  // A place that answers for no object, and whose box has more than this IoU with one, is not told that none is there.
  float ignore_iou{0.7F};
};

struct Loss {
  at::Tensor total;  // with gradients
  LossValues values;
};

// Places of the heads that answer for an object of these, at least 1.
[[nodiscard]] std::size_t count_matches(std::span<const std::vector<Target>> targets,
                                        const std::vector<HeadGrid>& heads);

// `logits` of the heads, as forward() gives them, for pictures with these targets. Sums, divided by `matches`: so the
// losses of a batch's parts add up to that of the batch.
[[nodiscard]] Loss loss_of(const std::vector<at::Tensor>& logits, const std::vector<HeadGrid>& heads,
                           std::span<const std::vector<Target>> targets, std::size_t matches,
                           const LossWeights& weights);

}  // namespace yolod::train
