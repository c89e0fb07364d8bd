// Passes settings of the process to the loading of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace yolod::model {

// The hooks into the worker for the identity model's faults. Other models do not use them.
struct FaultHooks {
  std::function<void()> scribble_lane;  // FAULT:scribble: fills the worker's lane with random bytes
  std::function<void()> ring_doorbell;  // FAULT:ring: rings the doorbell although there are no completions
  std::span<const std::byte> arena;     // FAULT:arena_write in a loader, which has no request
};

// The settings and callbacks of the process in which a model is loaded.
struct LoadContext {
  std::uint32_t threads{1};  // for the forward pass; already resolved from `auto`
  // The number of threads of the processes that this process will fork, or 0 if it forks none. If it is not 0,
  // `threads` must be 1.
  std::uint32_t threads_of_forks{0};
  // "cpu", "cuda:N" or "auto". "auto" takes a GPU if there is one; with several GPUs, `seat` (the process's index
  // among its model's processes) selects one.
  std::string device{"cpu"};
  std::uint32_t seat{0};
  // The model calls it with one line of text when the device has failed permanently. A worker ends the process then.
  // If the function returns, the current operation fails.
  std::function<void(const std::string& why)> device_lost;
  // If true, the network's own task overrides the config's task. yolodctl sets it, because a user who names files
  // need not know the task.
  bool any_task{false};
  // The loader calls it when it has read and run a TorchScript file for the first time, or has refused it, because
  // the file can no longer crash or hang the process.
  std::function<void()> first_run_ended;
  FaultHooks fault_hooks;
};

}  // namespace yolod::model
