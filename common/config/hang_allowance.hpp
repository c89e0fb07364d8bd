// Pure functions that compute how long a worker may run without completing a request before the front-end treats it
// as hung:
//
//   hang_timeout + limits.max_decode_time for each picture that the worker may still have to decode
//
// So a batch of the costliest allowed pictures does not count as a hang. The front-end computes the time from its own
// table, so a compromised worker cannot extend it.
#pragma once

#include <chrono>
#include <cstddef>
#include <variant>

#include "common/config/model_config.hpp"
#include "common/domain/task.hpp"

namespace yolod::common {

// Returns whether each request of the model needs a picture to be decoded.
[[nodiscard]] inline bool decodes_pictures(const ModelConfig& config) {
  return config.task != Task::kTensor && !std::holds_alternative<IdentitySource>(config.source);
}

// `requests` is the number of requests that the worker may decode before its next completion.
[[nodiscard]] inline std::chrono::milliseconds hang_allowance(const ModelConfig& config, std::size_t requests) {
  if (!decodes_pictures(config)) return config.hang_timeout;
  // A request with annotate decodes the picture twice, draws on it and encodes it.
  const int times = config.task == Task::kDetect && config.detect.annotate ? 3 : 1;
  return config.hang_timeout +
         times * config.limits.max_decode_time * static_cast<std::chrono::milliseconds::rep>(requests);
}

// Returns the allowance for a worker with the most work possible: one full batch in progress and one full batch
// waiting.
[[nodiscard]] inline std::chrono::milliseconds longest_hang_allowance(const ModelConfig& config) {
  return hang_allowance(config, std::size_t{2} * config.batch.size_limit());
}

}  // namespace yolod::common
