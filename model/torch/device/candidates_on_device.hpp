// Filters candidates on the device, so that candidates below their threshold are not copied to the processor. It
// includes torch headers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <vector>

#include "model/heads/candidates.hpp"

namespace yolod::model {

struct FewCandidates {
  at::Tensor values;  // float, one-dimensional, in the processor's memory, image after image
  // the index of each image's first value, and the end: one more than there are images
  std::vector<std::size_t> offsets;
};

// Keeps, in order, the candidates of each image whose objectness (for kByScores: best class score) is above the
// image's threshold. `head` is [images, ...] according to `layout`, float, on any device; there is one threshold for
// each image. Selecting from the result (heads/candidates.hpp) gives the same candidates as selecting from the whole
// head. REQUIRES: the layout is not kFinal.
[[nodiscard]] FewCandidates keep_above(const at::Tensor& head, std::span<const float> confidence,
                                       heads::HeadLayout layout);

}  // namespace yolod::model
