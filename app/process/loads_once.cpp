#include "app/process/loads_once.hpp"

#include <algorithm>

namespace yolod::app {

bool may_use_cuda(const common::ModelConfig& config, bool built_with_cuda) {
  if (std::holds_alternative<common::IdentitySource>(config.source)) return false;
  if (config.devices.empty()) return built_with_cuda;
  return std::any_of(config.devices.begin(), config.devices.end(), [](const auto& device) { return device != "cpu"; });
}

bool loads_once(const common::ModelConfig& config, bool built_with_cuda) {
  return config.preload != common::AutoBool::kFalse && !may_use_cuda(config, built_with_cuda);
}

}  // namespace yolod::app
