// Whether a model is loaded once and its workers are forked from that process, or each of them loads by itself.
#pragma once

#include "common/config/model_config.hpp"

namespace yolod::app::process {

// What this build can compute on.
#if defined(YOLOD_WITH_CUDA)
inline constexpr bool kBuiltWithCuda = true;
#else
inline constexpr bool kBuiltWithCuda = false;
#endif

// By `preload`; auto: yes where there is no device but the CPU, as forked processes share what none writes to.
[[nodiscard]] bool preloads(const common::ModelConfig& config, bool built_with_cuda);

}  // namespace yolod::app::process
