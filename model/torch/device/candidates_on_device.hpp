// The first step of post-processing where the head is: candidates that no threshold lets pass need not cross to the
// processor. Includes torch headers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <vector>

#include "model/heads/candidates.hpp"

namespace yolod::model {

struct FewCandidates {
  at::Tensor values;                 // float, one-dimensional, in the processor's memory: image after image
  std::vector<std::size_t> offsets;  // of each image's first value, and the end: one more than there are images
};

// `head` is [images, ...] as `layout` says, float, on any device; one threshold for each image. Of each image those
// candidates remain, in their order, whose objectness (kByScores: best class score) is above its threshold: whoever
// selects among them (heads/candidates.hpp) finds what it would have found in all. Not for kFinal.
[[nodiscard]] FewCandidates keep_above(const at::Tensor& head, std::span<const float> confidence,
                                       heads::HeadLayout layout);

}  // namespace yolod::model
