#include "model/torch/device/open_device.hpp"

#include <c10/util/Exception.h>

#include <charconv>
#include <exception>
#include <string_view>
#include <utility>

#include "common/log.hpp"
#include "common/text.hpp"
#include "model/torch/device/cpu_device.hpp"
#include "model/torch/torch_runtime.hpp"
#if defined(YOLOD_WITH_CUDA)
#include "model/bad_model.hpp"
#include "model/load_context.hpp"
#include "model/torch/device/cuda_device.hpp"
#endif

namespace yolod::model {

using common::Outcome;

namespace {

common::Error refused(const std::string& name, const std::string& why) {
  return bad_model("device " + common::printable(name) + ": " + why);
}

#if defined(YOLOD_WITH_CUDA)
Outcome<std::shared_ptr<Device>> open_cuda(const std::string& name, int index) {
  const int count = cuda_device_count();
  if (index >= count) {
    return refused(
        name, count == 0 ? "no CUDA device answers" : "there are " + std::to_string(count) + ", the first is cuda:0");
  }
  try {
    return cuda_device(index);
  } catch (const std::exception& error) {
    return refused(name, reason_of(error));
  }
}

Outcome<std::shared_ptr<Device>> open_any(std::uint32_t place) {
  const int count = cuda_device_count();
  if (count == 0) {
    common::log_info("no CUDA device answers, so the model runs on the CPU");
    return cpu_device();
  }
  const int index = static_cast<int>(place % static_cast<std::uint32_t>(count));
  auto device = open_cuda("cuda:" + std::to_string(index), index);
  if (device) return device;
  common::log_warning("{}, so the model runs on the CPU", device.error().message);
  return cpu_device();
}
#else
Outcome<std::shared_ptr<Device>> open_cuda(const std::string& name, int /*index*/) {
  return refused(name, "this yolod is built without CUDA, only auto and cpu are supported");
}

Outcome<std::shared_ptr<Device>> open_any(std::uint32_t /*place*/) { return cpu_device(); }
#endif

}  // namespace

Outcome<std::shared_ptr<Device>> open_device(const std::string& name, std::uint32_t place) {
  constexpr std::string_view kCuda = "cuda:";
  if (name == "cpu") return cpu_device();
  if (name == "auto") return open_any(place);
  if (name.starts_with(kCuda)) {
    int index = -1;
    const auto* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kCuda.size(), end, index);
    if (parsed.ec == std::errc{} && parsed.ptr == end && index >= 0) return open_cuda(name, index);
  }
  return refused(name, "auto, cpu or cuda:N is allowed");
}

Outcome<DeviceUse> use_device(const LoadContext& context) {
  keep_exception_types();
  auto device = open_device(context.device, context.seat);
  if (!device) return std::move(device).error();
  return DeviceUse{std::move(device).value(), context.device_lost};
}

}  // namespace yolod::model
