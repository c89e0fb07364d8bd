// The thin seam to what a network computes on: the only calls that differ between a CPU and a GPU. All else in model/
// is the same code for both, and a test's fake stands in for a GPU where there is none.
//
// Owned by the networks of one process. Opened after exec, in a process that will not fork: a CUDA context does not
// survive that. Includes torch headers: for the few sources that do so anyway.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>

namespace yolod::model {

class Device {
 public:
  // Work that was recorded once, and is done again with the memory that it had then.
  class Graph {
   public:
    Graph() = default;
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;
    virtual ~Graph() = default;
    virtual void replay() = 0;  // within run()
  };

  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  // "cpu" or "cuda:N", as in the config.
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Where tensors that it computes with are.
  [[nodiscard]] virtual c10::Device where() const = 0;
  // Whether it has memory of its own, so that what crosses to it and back costs time.
  [[nodiscard]] virtual bool is_far() const = 0;

  // Float, channels-last, in the processor's memory, and such that the device reads it fast. Any thread.
  [[nodiscard]] virtual at::Tensor host_memory(c10::IntArrayRef sizes) = 0;

  // Calls `work`, whose operators go to the device in order. They may not be done when it returns: what is copied to
  // the processor's memory is. One thread at a time. Throws what `work` throws.
  virtual void run(const std::function<void()>& work) = 0;
  // Until all that was run is done.
  virtual void wait() = 0;
  // Records what `work` does; null where that cannot be. What it reads and writes must outlive the graph. While it
  // records, no other thread may use the device.
  [[nodiscard]] virtual std::unique_ptr<Graph> capture(const std::function<void()>& work) = 0;
  // Gives memory that is kept for reuse back to the device. Does not throw.
  virtual void free_unused() = 0;
  // After something has failed: whether it still computes. A fault in a kernel leaves a CUDA context that never does
  // again, and a process that must end. Does not throw.
  [[nodiscard]] virtual bool answers() = 0;
};

// A process's device, and what is done when it turns out not to compute any more: may end the process.
struct DeviceUse {
  std::shared_ptr<Device> device;
  std::function<void(const std::string& why)> lost;

  // After `why` has failed.
  void tell_if_lost(const std::string& why) const {
    if (!device->answers() && lost) lost(device->name() + " does not compute any more: " + why);
  }
};

}  // namespace yolod::model
