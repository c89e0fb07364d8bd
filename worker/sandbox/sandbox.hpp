// Takes privileges from a process when it no longer needs them, in this order:
//
//   worker that is forked   [loader: before_load() -> load -> seal_loader()] -> fork -> seal_worker() -> serve
//   worker that loads       before_load() -> load -> seal_worker() -> serve
//
//   before_load()   no_new_privs; seccomp: no network, no other program or process; Landlock: reads the system's
//                   libraries, /proc, /sys and the model's own files
//   seal_loader()   Landlock: opens nothing; seccomp: forks, and every call that its workers may make
//   seal_worker()   Landlock: opens nothing; seccomp: the narrower filter
//
// If the kernel lacks a part, `sandbox: required` returns an Error; `auto` and `report` continue, and state() names
// the missing part. docs/security.md lists the denied calls and the test of each.
//
// The process's main thread owns the object, and each forked worker uses its copy. Everything that needs an open
// file, such as /proc/self/oom_score_adj, must be written before.
#pragma once

#include <cstdint>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"
#include "common/system/landlock.hpp"

namespace yolod::worker {

class Sandbox {
 public:
  explicit Sandbox(const common::ModelConfig& config);

  // These three calls return an Error (kBadModel) only if the mode is `required` and a part is not available.
  [[nodiscard]] common::Outcome<void> before_load();
  // REQUIRES: the process has one thread. `control` is the channel for reports of denied calls.
  [[nodiscard]] common::Outcome<void> seal_loader(int control);
  // `launch_id` is the worker's launch id (ipc/lane.hpp).
  [[nodiscard]] common::Outcome<void> seal_worker(int control, std::uint64_t launch_id);

  [[nodiscard]] const common::SandboxState& state() const { return state_; }

 private:
  enum class Kind { kLoader, kWorker };
  [[nodiscard]] common::Outcome<void> seal(Kind kind, int control, std::uint64_t launch_id);
  [[nodiscard]] common::Outcome<void> restrict_files(const std::vector<common::FileRule>& rules);
  // Notes that a part is missing; an Error if the mode is `required`.
  [[nodiscard]] common::Outcome<void> lacks(const common::Error& part);
  [[nodiscard]] bool seals() const;

  common::SandboxState state_;
  bool on_gpu_;
  std::vector<common::FileRule> rules_of_load_;
  std::vector<common::FileRule> rules_of_tests_;  // files that fault points of the tests need
};

}  // namespace yolod::worker
