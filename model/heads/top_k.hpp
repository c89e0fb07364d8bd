// From a classifier's output to its answer.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"

namespace yolod::model::heads {

// In place: exp(x) over the sum of all, computed from the greatest down so that no logit overflows.
void softmax(std::span<float> logits);

// The `count` most probable, best first; equal ones in the order of their classes. Values that are not finite are left
// out.
[[nodiscard]] std::vector<common::Classification> top_k(std::span<const float> probabilities, std::size_t count);

}  // namespace yolod::model::heads
