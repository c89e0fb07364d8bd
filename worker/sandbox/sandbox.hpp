// Takes from a process what it does not need any more, in this order:
//
//   worker that is forked   [loader: before_load() -> load -> seal_loader()] -> fork -> seal_worker() -> serve
//   worker that loads       before_load() -> load -> seal_worker() -> serve
//
//   before_load()   no_new_privs; seccomp: no network, no other program or process; Landlock: reads the system's
//                   libraries, /proc, /sys and the model's own files
//   seal_loader()   Landlock: opens nothing; seccomp: forks, and what its workers may do
//   seal_worker()   Landlock: opens nothing; seccomp: the narrower filter
//
// Where the kernel lacks a part, `sandbox: required` is an Error; `auto` and `report` go on with what there is, and
// state() says what is missing. docs/security.md lists what is denied and which test tries it.
//
// Belongs to the process's main thread; a copy goes on in each forked worker. /proc/self/oom_score_adj and whatever
// else needs an open file is written before.
#pragma once

#include <cstdint>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"
#include "worker/sandbox/landlock.hpp"

namespace yolod::worker {

class Sandbox {
 public:
  explicit Sandbox(const common::ModelConfig& config);

  // All three: an Error (kBadModel) only where the mode is `required` and a part cannot be had.
  [[nodiscard]] common::Outcome<void> before_load();
  // REQUIRES: one thread. `control` is the channel on which denied calls are told.
  [[nodiscard]] common::Outcome<void> seal_loader(int control);
  // `launch_id` is the worker's (ipc/lane.hpp).
  [[nodiscard]] common::Outcome<void> seal_worker(int control, std::uint64_t launch_id);

  [[nodiscard]] const common::SandboxState& state() const { return state_; }

 private:
  enum class Kind { kLoader, kWorker };
  [[nodiscard]] common::Outcome<void> seal(Kind kind, int control, std::uint64_t launch_id);
  [[nodiscard]] common::Outcome<void> restrict_files(const std::vector<FileRule>& rules);
  // Notes that a part is missing.
  [[nodiscard]] common::Outcome<void> lacks(const common::Error& part);
  [[nodiscard]] bool seals() const;

  common::SandboxState state_;
  bool on_gpu_;
  std::vector<FileRule> rules_of_load_;
  std::vector<FileRule> rules_of_tests_;  // what fault points need
};

}  // namespace yolod::worker
