#include "model/torch/device/cpu_device.hpp"

#include <ATen/ATen.h>

namespace yolod::model {
namespace {

class CpuDevice final : public Device {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] c10::Device where() const override { return c10::Device(c10::kCPU); }
  [[nodiscard]] bool is_far() const override { return false; }
  [[nodiscard]] at::Tensor host_memory(c10::IntArrayRef sizes) override {
    return at::empty(sizes, at::TensorOptions().dtype(at::kFloat), at::MemoryFormat::ChannelsLast);
  }
  void run(const std::function<void()>& work) override { work(); }
  void wait() override {}
  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& /*work*/) override { return nullptr; }
  void free_unused() override {}
  [[nodiscard]] bool answers() override { return true; }

 private:
  const std::string name_{"cpu"};
};

}  // namespace

std::shared_ptr<Device> cpu_device() { return std::make_shared<CpuDevice>(); }

}  // namespace yolod::model
