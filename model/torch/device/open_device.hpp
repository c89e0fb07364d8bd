// From a device's name in the config to a Device.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "model/torch/device/device.hpp"

namespace yolod::model {

// "cpu", "cuda:N", or "auto": a GPU where this build can use one and one answers, dealt to processes in turn by
// `place`; else the CPU. Errors are kBadModel: no such device, or it does not answer.
[[nodiscard]] common::Outcome<std::shared_ptr<Device>> open_device(const std::string& name, std::uint32_t place);

// The one that a model is to be loaded on.
[[nodiscard]] common::Outcome<DeviceUse> use_device(const LoadContext& context);

}  // namespace yolod::model
