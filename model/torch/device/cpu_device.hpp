// The processor as a Device: nothing to cross, to wait for or to record.
#pragma once

#include <memory>

#include "model/torch/device/device.hpp"

namespace yolod::model {

[[nodiscard]] std::shared_ptr<Device> cpu_device();

}  // namespace yolod::model
