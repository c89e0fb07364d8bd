// Opens the Device for a device's name in the config.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "model/torch/device/device.hpp"

namespace yolod::model {

// `name` is "cpu", "cuda:N" or "auto". "auto" is a GPU if this build supports GPUs and a GPU works, assigned to
// processes in turn by `place`; otherwise the CPU. Errors have code kBadModel: the device does not exist or does not
// work.
[[nodiscard]] common::Outcome<std::shared_ptr<Device>> open_device(const std::string& name, std::uint32_t place);

// Opens the device for loading a model.
[[nodiscard]] common::Outcome<DeviceUse> use_device(const LoadContext& context);

}  // namespace yolod::model
