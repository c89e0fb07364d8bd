// Converts a classifier's logits to probabilities. Any thread may call it.
#pragma once

#include <span>

namespace yolod::model::heads {

// Computes the softmax in place. It subtracts the largest logit first, so that no exponential overflows.
void softmax(std::span<float> logits);

}  // namespace yolod::model::heads
