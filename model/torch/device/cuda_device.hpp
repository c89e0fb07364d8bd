// A GPU as a Device, using LibTorch with CUDA. Only in a build with YOLOD_WITH_CUDA.
#pragma once

#include <memory>

#include "model/torch/device/device.hpp"

namespace yolod::model {

// Returns the number of GPUs that this process may use; 0 without a driver. It creates no CUDA context.
[[nodiscard]] int cuda_device_count();

// Returns the device. The device sends all work to one stream that nothing else uses. TF32 is off, so `precision:
// fp32` computes in fp32. The call creates the process's CUDA context, which takes some hundred MiB of the device's
// memory. Throws c10::Error if the device cannot be used.
[[nodiscard]] std::shared_ptr<Device> cuda_device(int index);

}  // namespace yolod::model
