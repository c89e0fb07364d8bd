// The interface to the device on which a network computes. It has the only calls that differ between a CPU and a GPU.
// All other code in model/ is the same for both, and tests can use a fake GPU.
//
// The networks of one process own it. Open it after exec, in a process that will not fork, because a CUDA context
// does not survive a fork. This header includes torch headers, so few source files may include it.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>

namespace yolod::model {

class Device {
 public:
  // A recording of work, which can be repeated with the memory that it used.
  class Graph {
   public:
    Graph() = default;
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;
    virtual ~Graph() = default;
    virtual void replay() = 0;  // call it within run()
  };

  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  // Returns "cpu" or "cuda:N", as in the config.
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Returns where the tensors for computations must be.
  [[nodiscard]] virtual c10::Device where() const = 0;
  // Returns whether the device has separate memory, so that copies to and from it cost time.
  [[nodiscard]] virtual bool is_far() const = 0;

  // Returns a float, channels-last tensor in the processor's memory that the device can read fast. Any thread may
  // call it.
  [[nodiscard]] virtual at::Tensor host_memory(c10::IntArrayRef sizes) = 0;

  // Calls `work`, whose operators run on the device in order. They may be unfinished when run() returns, except for
  // copies to the processor's memory. One thread at a time may call it. Throws every exception of `work`.
  virtual void run(const std::function<void()>& work) = 0;
  // Waits until all work is finished.
  virtual void wait() = 0;
  // Records `work`; returns null if that is impossible. The memory that `work` reads and writes must outlive the
  // graph. No other thread may use the device meanwhile.
  [[nodiscard]] virtual std::unique_ptr<Graph> capture(const std::function<void()>& work) = 0;
  // Returns unused memory of the allocator's cache to the device. Does not throw.
  virtual void free_unused() = 0;
  // Call it after a failure. Returns whether the device still computes. A fault in a kernel breaks a CUDA context
  // permanently, and the process must end. Does not throw.
  [[nodiscard]] virtual bool answers() = 0;
};

// A process's device, and the function to call when the device has stopped computing. That function may end the
// process.
struct DeviceUse {
  std::shared_ptr<Device> device;
  std::function<void(const std::string& why)> lost;

  // Call it after an operation has failed with the error `why`.
  void tell_if_lost(const std::string& why) const {
    if (!device->answers() && lost) lost(device->name() + " does not compute any more: " + why);
  }
};

}  // namespace yolod::model
