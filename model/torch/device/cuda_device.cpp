#include "model/torch/device/cuda_device.hpp"

#include <ATen/ATen.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>

namespace yolod::model {
namespace {

using GraphMemory = decltype(at::cuda::graph_pool_handle());  // LibTorch has moved its name

class CudaGraph final : public Device::Graph {
 public:
  // Throws where `work` does what cannot be recorded.
  CudaGraph(const std::function<void()>& work, GraphMemory memory) {
    try {
      graph_.capture_begin(memory);
      work();
    } catch (...) {
      end_failed_capture();
      throw;
    }
    graph_.capture_end();
  }

  void replay() override { graph_.replay(); }

 private:
  // The stream is recording until this was called, which says again what `work` has said.
  void end_failed_capture() noexcept {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      return;
    }
  }

  at::cuda::CUDAGraph graph_;
};

// While it lives, whatever waits for the device throws.
class NobodyWaits {
 public:
  NobodyWaits() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR); }
  NobodyWaits(const NobodyWaits&) = delete;
  NobodyWaits& operator=(const NobodyWaits&) = delete;
  ~NobodyWaits() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED); }
};

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(c10::DeviceIndex index)
      : name_("cuda:" + std::to_string(static_cast<int>(index))),
        where_(c10::kCUDA, index),
        stream_(c10::cuda::getStreamFromPool(false, index)),
        graph_memory_(at::cuda::graph_pool_handle()) {
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
    // No search for the fastest algorithms: it would fall to the first client of every batch size that was not warmed
    // up, and take seconds. cuDNN's own choice costs nothing.
    at::globalContext().setBenchmarkCuDNN(false);
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    (void)at::zeros({1}, at::TensorOptions().device(where_)).item<float>();
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] c10::Device where() const override { return where_; }
  [[nodiscard]] bool is_far() const override { return true; }

  [[nodiscard]] at::Tensor host_memory(c10::IntArrayRef sizes) override {
    // Of this device's context, and no other's: the calling thread may be new.
    const c10::cuda::CUDAGuard here(where_);
    return at::empty(sizes, at::TensorOptions().dtype(at::kFloat).pinned_memory(true), at::MemoryFormat::ChannelsLast);
  }

  void run(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    work();
  }

  void wait() override { stream_.synchronize(); }

  // Graphs share their memory: none is replayed before what another has computed was taken. One that is no network's
  // keeps it theirs: LibTorch refuses a pool that had graphs once, and has none any more.
  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    stream_.synchronize();
    try {
      {
        // Tried before: a recording that fails on the way leaves LibTorch's allocator in it.
        const NobodyWaits nobody_waits;
        work();
      }
      stream_.synchronize();
      if (!keeper_) {
        keeper_ = std::make_unique<CudaGraph>([this] { (void)at::zeros({1}, at::TensorOptions().device(where_)); },
                                              graph_memory_);
      }
      return std::make_unique<CudaGraph>(work, graph_memory_);
    } catch (const std::exception&) {
      (void)cudaGetLastError();  // what could not be recorded is no error of the device
      return nullptr;
    }
  }

  void free_unused() override {
    try {
      c10::cuda::CUDACachingAllocator::emptyCache();
    } catch (const std::exception&) {
      return;  // then it is not given back
    }
  }

  [[nodiscard]] bool answers() override {
    try {
      const c10::cuda::CUDAStreamGuard on_stream(stream_);
      (void)cudaGetLastError();
      const auto one = at::ones({1}, at::TensorOptions().device(where_));
      return (one + one).item<float>() == 2;
    } catch (const c10::OutOfMemoryError&) {
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

 private:
  const std::string name_;
  const c10::Device where_;
  const c10::cuda::CUDAStream stream_;
  const GraphMemory graph_memory_;
  std::unique_ptr<CudaGraph> keeper_;
};

}  // namespace

int cuda_device_count() { return static_cast<int>(c10::cuda::device_count()); }

std::shared_ptr<Device> cuda_device(int index) {
  return std::make_shared<CudaDevice>(static_cast<c10::DeviceIndex>(index));
}

}  // namespace yolod::model
