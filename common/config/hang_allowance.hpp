// How long a worker may go without completing a request before the front-end takes it for hung: pure functions.
//
//   hang_timeout, and limits.max_decode_time for each picture that the worker may still have to decode
//
// So a batch of the costliest pictures that are allowed does not look like a hang, and a worker that does hang is found
// after a time that the front-end knows from its own table: nothing that a worker writes prolongs it.
#pragma once

#include <chrono>
#include <cstddef>
#include <variant>

#include "common/config/model_config.hpp"
#include "common/domain/task.hpp"

namespace yolod::common {

// Whether each request of the model costs a decoding.
[[nodiscard]] inline bool decodes_pictures(const ModelConfig& config) {
  return config.task != Task::kTensor && !std::holds_alternative<IdentitySource>(config.source);
}

// `requests`: those that the worker may decode before its next completion.
[[nodiscard]] inline std::chrono::milliseconds hang_allowance(const ModelConfig& config, std::size_t requests) {
  if (!decodes_pictures(config)) return config.hang_timeout;
  // A picture that is to be answered with its boxes is decoded twice, drawn on and encoded.
  const int times = config.task == Task::kDetect && config.detect.annotate ? 3 : 1;
  return config.hang_timeout +
         times * config.limits.max_decode_time * static_cast<std::chrono::milliseconds::rep>(requests);
}

// Of a worker that has all that a worker can have: a full batch at hand, and a full one behind it.
[[nodiscard]] inline std::chrono::milliseconds longest_hang_allowance(const ModelConfig& config) {
  return hang_allowance(config, std::size_t{2} * config.batch.size_limit());
}

}  // namespace yolod::common
