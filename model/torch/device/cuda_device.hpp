// A GPU as a Device, by LibTorch's CUDA half. Only in a build with YOLOD_WITH_CUDA.
#pragma once

#include <memory>

#include "model/torch/device/device.hpp"

namespace yolod::model {

// How many there are that this process may use; 0 also where there is no driver. Makes no context.
[[nodiscard]] int cuda_device_count();

// Work goes to one stream of its own. TF32 is off: `precision: fp32` is fp32. Makes the process's CUDA context, some
// hundred MiB of the device's memory. Throws c10::Error where the device cannot be used.
[[nodiscard]] std::shared_ptr<Device> cuda_device(int index);

}  // namespace yolod::model
