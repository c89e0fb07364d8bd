// Decides whether a loader loads a model once and forks its workers, or whether each worker loads the model itself.
#pragma once

#include "common/config/model_config.hpp"

namespace yolod::app::process {

// Whether this build can compute on an NVIDIA GPU.
#if defined(YOLOD_WITH_CUDA)
inline constexpr bool kBuiltWithCuda = true;
#else
inline constexpr bool kBuiltWithCuda = false;
#endif

// Returns the setting `preload`. With auto, returns true if the model runs only on the CPU: forked workers then
// share the pages that no process writes to.
[[nodiscard]] bool preloads(const common::ModelConfig& config, bool built_with_cuda);

}  // namespace yolod::app::process
