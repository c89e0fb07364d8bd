#include "app/process/loads_once.hpp"

#include "common/config/devices.hpp"

namespace yolod::app {

bool loads_once(const common::ModelConfig& config, bool built_with_cuda) {
  return config.preload != common::AutoBool::kFalse && !common::may_use_cuda(config, built_with_cuda);
}

}  // namespace yolod::app
