// Loading, signal-safe: from exec until load() has returned, SIGINT is blocked in every thread of this process, so
// that no Ctrl-C can leave weights half way onto a device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::worker {

// True if SIGINT is blocked in the calling thread: what the front-end promises at exec, checked before any library
// starts a thread that would inherit something else.
[[nodiscard]] bool interrupt_is_blocked();

struct LoadThreads {
  std::uint32_t now{1};
  std::uint32_t of_forks{0};  // of processes that will be forked from this one; 0: there will be none
};

struct LoadedModel {
  std::unique_ptr<model::Model> model;
  // For common::ModelDescription::batch_size.
  std::uint32_t batch_size{0};
};

// Loads, warms up and shows it the canary, with that many threads; on the device that falls to the model's worker
// number `seat`, and should that compute no more, the process ends (kExitDeviceLost). The calling thread is `main`'s.
// `hooks` are what the identity model's faults use. With batch.max_size: auto, finds the size that pays; where
// processes will be forked from this one, in a child with their number of threads, so that the larger sizes leave
// nothing here.
[[nodiscard]] common::Outcome<LoadedModel> load(const common::ModelConfig& config, LoadThreads threads,
                                                std::uint32_t seat, model::FaultHooks hooks);

// load() on a thread of its own that gives way to everything else on the machine: beside workers that serve. The
// calling thread waits; afterwards the process has one thread again.
[[nodiscard]] common::Outcome<LoadedModel> load_in_background(const common::ModelConfig& config, LoadThreads threads,
                                                              std::uint32_t seat, model::FaultHooks hooks);

enum class AfterLoad { kServe, kInterrupted };

// Ends the protected time, in main's thread. If a SIGINT arrived meanwhile: kInterrupted, it stays blocked, and the
// caller frees the model and exits. Else SIGINT has its default action again and is unblocked.
[[nodiscard]] AfterLoad restore_interrupt();

}  // namespace yolod::worker
