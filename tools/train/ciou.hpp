// How well boxes agree, with a gradient even where they do not touch.
#pragma once

#include <ATen/core/Tensor.h>

namespace yolod::train {

// Both [n, 4]: centre and size. [n], 1 for equal boxes, less than 0 for those far apart:
//   CIoU = IoU - d^2 / c^2 - alpha v,  v = 4 / pi^2 (atan(w2 / h2) - atan(w1 / h1))^2,  alpha = v / (1 - IoU + v)
// with d between the centres and c the diagonal around both; alpha has no gradient.
// Source: Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression", 2020, equations
// 7 to 11. Gradients are those of `boxes`.
[[nodiscard]] at::Tensor ciou(const at::Tensor& boxes, const at::Tensor& truths);

}  // namespace yolod::train
