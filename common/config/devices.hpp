// Tells what a model's `device` setting may select.
#pragma once

#include "common/config/model_config.hpp"

namespace yolod::common {

// Returns whether the model's workers may create a CUDA context, which cannot survive a fork and does not work in the
// sandbox yet: `device` names a GPU, or it is auto in a build with CUDA.
[[nodiscard]] bool may_use_cuda(const ModelConfig& config, bool built_with_cuda);

}  // namespace yolod::common
