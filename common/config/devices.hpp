// Tells what a model's `device` setting may select.
#pragma once

#include "common/config/model_config.hpp"

namespace yolod::common {

// Returns whether the model's workers may create a CUDA context: if `device` names a GPU, or if it is auto in a
// build with CUDA. A CUDA context cannot survive a fork, and does not work in the sandbox yet.
[[nodiscard]] bool may_use_cuda(const ModelConfig& config, bool built_with_cuda);

}  // namespace yolod::common
