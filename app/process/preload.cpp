#include "app/process/preload.hpp"

#include "common/config/devices.hpp"

namespace yolod::app::process {

bool preloads(const common::ModelConfig& config, bool built_with_cuda) {
  return config.preload != common::AutoBool::kFalse && !common::may_use_cuda(config, built_with_cuda);
}

}  // namespace yolod::app::process
