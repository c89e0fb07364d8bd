#include "common/config/devices.hpp"

#include <algorithm>

namespace yolod::common {

bool may_use_cuda(const ModelConfig& config, bool built_with_cuda) {
  if (std::holds_alternative<IdentitySource>(config.source)) return false;
  if (config.devices.empty()) return built_with_cuda;
  return std::any_of(config.devices.begin(), config.devices.end(), [](const auto& device) { return device != "cpu"; });
}

}  // namespace yolod::common
