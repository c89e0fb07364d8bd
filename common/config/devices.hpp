// What a model's `device` may come to.
#pragma once

#include "common/config/model_config.hpp"

namespace yolod::common {

// Whether its workers may make a CUDA context, which neither survives a fork nor fits the sandbox yet: `device` names a
// GPU, or is auto in a build that would take one.
[[nodiscard]] bool may_use_cuda(const ModelConfig& config, bool built_with_cuda);

}  // namespace yolod::common
