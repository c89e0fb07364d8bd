// Computes boxes from a head's logits, with gradients. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tools/train/head_grid.hpp"

namespace yolod::train {

// `centers` [..., 2] are the logits of x and y. `sizes` [..., 2] are the logits of w and h. `corners` are the
// corners of the cells, less the head's reach. `corners` and `anchors` are in pixels, and their shapes must fit.
// Returns [..., 4]: centre and size in pixels of the input, as in the server's compile_heads.cpp.
[[nodiscard]] at::Tensor boxes_of(const at::Tensor& centers, const at::Tensor& sizes, const HeadGrid& head,
                                  const at::Tensor& corners, const at::Tensor& anchors);

// Returns the boxes [..., 4] of a whole head. `logits` is [..., rows, columns, anchors, HeadGrid::row_length()].
[[nodiscard]] at::Tensor decode_boxes(const at::Tensor& logits, const HeadGrid& head);

// Returns the values of all heads in the server's layout: [images, candidates, 5 + classes].
[[nodiscard]] at::Tensor decode(const std::vector<at::Tensor>& logits, const std::vector<HeadGrid>& heads);

}  // namespace yolod::train
