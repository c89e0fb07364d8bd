// What the loading of a model may need of the process that it lives in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace yolod::model {

// What the identity model's faults need of a worker. Empty elsewhere.
struct FaultHooks {
  std::function<void()> scribble_lane;  // FAULT:scribble: fills the worker's lane with random bytes
  std::function<void()> ring_doorbell;  // FAULT:ring: as for completions, of which there are none
  std::span<const std::byte> arena;     // FAULT:arena_write in a loader, which has no request's body
};

// What a model may need of the process that it lives in.
struct LoadContext {
  std::uint32_t threads{1};  // for the forward pass; already resolved from `auto`
  // Of processes that will be forked from this one; 0: there will be none. `threads` must then be 1.
  std::uint32_t threads_of_forks{0};
  // "cpu", "cuda:N" or "auto": a GPU where one answers; by `seat`, the process's among its model's, where there are
  // several.
  std::string device{"cpu"};
  std::uint32_t seat{0};
  // Called with one line when the device computes no more, and never will in this process: a worker ends then. May
  // return: what was asked for fails.
  std::function<void(const std::string& why)> device_lost;
  // The network's own task counts, and not the config's: for a command line that names files alone.
  bool any_task{false};
  // Called when a TorchScript file has been read and run once, or refused: what could crash or hang on it has not.
  std::function<void()> first_run_ended;
  FaultHooks fault_hooks;
};

}  // namespace yolod::model
