// Computes how well two boxes agree, with a gradient even for boxes that do not overlap.
#pragma once

#include <ATen/core/Tensor.h>

namespace yolod::train {

// `boxes` and `truths` are [n, 4]: centre and size. Returns [n]: 1 for equal boxes, below 0 for boxes that are far
// apart.
//   CIoU = IoU - d^2 / c^2 - alpha v,  v = 4 / pi^2 (atan(w2 / h2) - atan(w1 / h1))^2,  alpha = v / (1 - IoU + v)
// d is the distance between the centres, and c is the diagonal of the smallest box around both. alpha has no
// gradient. Source: Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression", 2020,
// equations 7 to 11. The result has gradients of `boxes` only.
[[nodiscard]] at::Tensor ciou(const at::Tensor& boxes, const at::Tensor& truths);

}  // namespace yolod::train
