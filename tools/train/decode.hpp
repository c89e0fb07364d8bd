// From a head's logits to boxes, with gradients. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tools/train/head_grid.hpp"

namespace yolod::train {

// `centers` and `sizes` [..., 2]: the logits of x and y, of w and h. `corners` are of the answers' cells, less the
// head's reach, and `anchors` those of the answers, both in pixels and of a shape that fits. [..., 4], centre and size
// in pixels of the input, as the server's compile_heads.cpp has them.
[[nodiscard]] at::Tensor boxes_of(const at::Tensor& centers, const at::Tensor& sizes, const HeadGrid& head,
                                  const at::Tensor& corners, const at::Tensor& anchors);

// The boxes of a whole head: `logits` [..., rows, columns, anchors, HeadGrid::row_length()], boxes [..., 4].
[[nodiscard]] at::Tensor decode_boxes(const at::Tensor& logits, const HeadGrid& head);

// All heads as the server gives them: [images, candidates, 5 + classes].
[[nodiscard]] at::Tensor decode(const std::vector<at::Tensor>& logits, const std::vector<HeadGrid>& heads);

}  // namespace yolod::train
