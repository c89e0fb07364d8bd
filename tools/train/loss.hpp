// Computes the loss of YOLOv4 (Bochkovskiy, Wang and Liao, 2020): CIoU for boxes, and binary cross entropy for
// objectness and classes. Softmax classes have a cross entropy instead. The uncertainties of [Gaussian_yolo] learn
// the likelihood of the error of its boxes (Choi, Chun, Kim and Lee, "Gaussian YOLOv3", 2019, equation 6). Its boxes
// learn by CIoU too.
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
};

struct Loss {
  at::Tensor total;  // with gradients
  LossValues values;
};

// Returns the number of places that are matched with an object, but at least 1.
[[nodiscard]] std::size_t count_matches(std::span<const std::vector<Target>> targets,
                                        const std::vector<HeadGrid>& heads);

// `logits` are the results of forward() for pictures with these targets. The losses are sums divided by `matches`.
// So the losses of the parts of a batch add up to the loss of the batch. The heads have the other choices of the
// loss (objective.hpp).
[[nodiscard]] Loss loss_of(const std::vector<at::Tensor>& logits, const std::vector<HeadGrid>& heads,
                           std::span<const std::vector<Target>> targets, std::size_t matches,
                           const LossWeights& weights);

}  // namespace yolod::train
