// Converts a classifier's output to its answer.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"

namespace yolod::model::heads {

// Computes the softmax in place. It subtracts the largest logit first, so that no exponential overflows.
void softmax(std::span<float> logits);

// Returns the `count` most probable classes, best first; equal classes keep their order. It omits values that are not
// finite.
[[nodiscard]] std::vector<common::Classification> top_k(std::span<const float> probabilities, std::size_t count);

}  // namespace yolod::model::heads
