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

using GraphMemory = decltype(at::cuda::graph_pool_handle());  // the namespace differs between versions of LibTorch

class CudaGraph final : public Device::Graph {
 public:
  // Throws if `work` contains an operation that cannot be recorded.
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
  // Call it after a failed capture to end the stream's recording. It reports the same error as `work`.
  void end_failed_capture() noexcept {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      return;
    }
  }

  at::cuda::CUDAGraph graph_;
};

// While this object exists, an operation that waits for the device throws.
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
    // Do not search for the fastest algorithms: the first client of every batch size that was not warmed up would
    // wait seconds for it. cuDNN's own choice costs nothing.
    at::globalContext().setBenchmarkCuDNN(false);
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    (void)at::zeros({1}, at::TensorOptions().device(where_)).item<float>();
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] c10::Device where() const override { return where_; }
  [[nodiscard]] bool is_far() const override { return true; }

  [[nodiscard]] at::Tensor host_memory(c10::IntArrayRef sizes) override {
    // Selects this device's context, because the calling thread may be new.
    const c10::cuda::CUDAGuard here(where_);
    return at::empty(sizes, at::TensorOptions().dtype(at::kFloat).pinned_memory(true), at::MemoryFormat::ChannelsLast);
  }

  void run(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    work();
  }

  void wait() override { stream_.synchronize(); }

  // All graphs share their memory, because the output of a graph is copied before another graph is replayed. An
  // additional graph that belongs to no network keeps the memory pool in use, because LibTorch refuses a pool whose
  // graphs are all gone.
  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    stream_.synchronize();
    try {
      {
        // Runs the work once without recording, because a recording that fails leaves LibTorch's allocator in the
        // recording state.
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
      (void)cudaGetLastError();  // an operation that cannot be recorded is not an error of the device
      return nullptr;
    }
  }

  void free_unused() override {
    try {
      c10::cuda::CUDACachingAllocator::emptyCache();
    } catch (const std::exception&) {
      return;  // the memory then stays allocated
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
