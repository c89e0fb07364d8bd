#include "common/config/worker_threads.hpp"

#include <algorithm>

namespace yolod::common {

std::uint32_t threads_per_worker(const ModelConfig& config, std::uint32_t cores) {
  if (config.threads != 0) return config.threads;
  return std::max(1U, cores / std::max(1U, config.workers));
}

bool may_decode_ahead(const ModelConfig& config, std::string_view device, std::uint32_t cores) {
  if (device != "cpu") return cores > 1;
  return threads_per_worker(config, cores) == 1 && config.workers < cores;
}

std::string_view how_threads_wait(std::span<const ModelConfig> models, std::uint32_t cores) {
  std::uint64_t threads = 0;
  for (const ModelConfig& model : models) threads += std::uint64_t{model.workers} * threads_per_worker(model, cores);
  return threads < cores ? kThreadsSpin : kThreadsSleep;
}

}  // namespace yolod::common
