// The processor as a Device: it needs no copies, no waiting and no recording.
#pragma once

#include <memory>

#include "model/torch/device/device.hpp"

namespace yolod::model {

[[nodiscard]] std::shared_ptr<Device> cpu_device();

}  // namespace yolod::model
