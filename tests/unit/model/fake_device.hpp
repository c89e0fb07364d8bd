// A fake GPU. Its memory is the CPU's memory. A test can make the memory run out and the context fail. This header
// includes torch headers.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "model/torch/device/device.hpp"

namespace yolod::tests {

class FakeDevice final : public model::Device {
 public:
  // A network on this device calls this function for each pass. As LibTorch does, the function throws an
  // out-of-memory error for more than `most_images` images.
  void compute_with(std::int64_t images) {
    ++passes;
    largest = std::max(largest, images);
    TORCH_CHECK(running_, "a network computes outside of run()");
    TORCH_CHECK_WITH(OutOfMemoryError, images <= most_images, "CUDA out of memory");
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] c10::Device where() const override { return c10::Device(c10::kCPU); }
  [[nodiscard]] bool is_far() const override { return true; }
  [[nodiscard]] at::Tensor host_memory(c10::IntArrayRef sizes) override {
    ++host_allocations;
    return at::empty(sizes, at::TensorOptions().dtype(at::kFloat), at::MemoryFormat::ChannelsLast);
  }
  void run(const std::function<void()>& work) override {
    running_ = true;
    try {
      work();
    } catch (...) {
      running_ = false;
      throw;
    }
    running_ = false;
  }
  void wait() override {}
  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& work) override {
    if (!records) return nullptr;
    run(work);
    return std::make_unique<FakeGraph>(*this, work);
  }
  void free_unused() override { ++frees; }
  [[nodiscard]] bool answers() override { return !lost; }

  std::int64_t most_images{1'000};
  bool records{false};
  bool lost{false};
  bool replaying{false};
  int passes{0};
  int replays{0};
  int frees{0};
  int host_allocations{0};
  std::int64_t largest{0};  // the largest number of images in one pass

 private:
  class FakeGraph final : public Graph {
   public:
    FakeGraph(FakeDevice& device, std::function<void()> work) : device_(device), work_(std::move(work)) {}
    void replay() override {
      ++device_.replays;
      device_.replaying = true;
      work_();
      device_.replaying = false;
    }

   private:
    FakeDevice& device_;
    std::function<void()> work_;
  };

  const std::string name_{"fake:0"};
  bool running_{false};
};

}  // namespace yolod::tests
