// Loads a model, safe against signals: from exec until load() has returned, SIGINT is blocked in every thread of this
// process, so that Ctrl-C cannot interrupt a copy of weights to a device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::worker {

// Returns true if SIGINT is blocked in the calling thread. The front-end blocks it before exec; the worker checks
// this before a library starts a thread that inherits the signal mask.
[[nodiscard]] bool interrupt_is_blocked();

struct LoadThreads {
  std::uint32_t now{1};
  std::uint32_t of_forks{0};  // of the processes that this process will fork; 0 if it will fork none
};

struct LoadedModel {
  std::unique_ptr<model::Model> model;
  // The value for common::ModelDescription::batch_size.
  std::uint32_t batch_size{0};
};

// Loads the model, warms it up and checks the canary, on the device that belongs to worker number `seat`. If the
// device stops computing later, the process ends with kExitDeviceLost. Call it on the main thread. The identity
// model's faults use `hooks`.
//
// With batch.max_size: auto it also finds the batch size. If this process will fork workers, a child process with the
// workers' number of threads does that, so that the larger sizes leave no memory here.
[[nodiscard]] common::Outcome<LoadedModel> load(const common::ModelConfig& config, LoadThreads threads,
                                                std::uint32_t seat, model::FaultHooks hooks);

// Runs load() on a separate thread at low priority, because workers serve meanwhile. The calling thread waits;
// afterwards the process has one thread again.
[[nodiscard]] common::Outcome<LoadedModel> load_in_background(const common::ModelConfig& config, LoadThreads threads,
                                                              std::uint32_t seat, model::FaultHooks hooks);

enum class AfterLoad { kServe, kInterrupted };

// Ends the time in which SIGINT is blocked; call it on the main thread. If a SIGINT has arrived meanwhile, returns
// kInterrupted and leaves SIGINT blocked; the caller then frees the model and exits. Otherwise SIGINT gets its
// default action and is unblocked.
[[nodiscard]] AfterLoad restore_interrupt();

}  // namespace yolod::worker
