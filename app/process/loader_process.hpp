// A model's loader as the front-end sees it: it loads once, and each worker is forked from it (worker/loader.hpp).
//
//   loading -> ready -> (reaped)
//      \________________-> (reaped)      it may die at any time: the workers that it has forked live on
//
// Owned by the supervisor, from fork to reap. Front-end only, its one thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/process/control_channel.hpp"
#include "app/process/denied_call.hpp"
#include "app/process/spawn.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::process {

class LoaderProcess;

// Called from the event loop.
struct LoaderEvents {
  std::function<void(LoaderProcess&)> ready;
  std::function<void(LoaderProcess&, std::string_view why)> broken;
  std::function<void(LoaderProcess&, const DeniedCall&)> denied;  // its sandbox let a call fail; it goes on
  std::function<void(LoaderProcess&)> closed;                     // its channel: it is dead, or as good as that
};

class LoaderProcess {
 public:
  // Forks and executes yolod-worker, `kind` is kLoader or kBackgroundLoader. `config_yaml` is emit_model() of its
  // model.
  [[nodiscard]] static common::Outcome<std::unique_ptr<LoaderProcess>> start(boost::asio::io_context& io,
                                                                             const SpawnSettings& spawn,
                                                                             const ipc::InputArena& arena,
                                                                             const std::string& config_yaml, int output,
                                                                             ChildKind kind, LoaderEvents events);
  LoaderProcess(const LoaderProcess&) = delete;
  LoaderProcess& operator=(const LoaderProcess&) = delete;
  // The process must have been reaped.
  ~LoaderProcess() = default;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] std::chrono::milliseconds load_time() const { return load_time_; }
  [[nodiscard]] const std::string& load_failure() const { return load_failure_; }

  // What it says of its sandbox; set when it is ready.
  [[nodiscard]] const common::SandboxState& sandbox() const { return sandbox_; }
  // The call that its sandbox ended it for, if it said so.
  [[nodiscard]] const std::optional<DeniedCall>& fatal_call() const { return fatal_call_; }

  // Asks for one more worker, that gets these. False where the loader cannot take it. The worker says hello on its own
  // channel, or that is closed unused.
  [[nodiscard]] bool fork_worker(const ipc::LentDescriptors& descriptors) {
    return control_.send_fork(descriptors, proven_ ? ipc::Command::kForkProven : ipc::Command::kFork);
  }
  // A worker that it forked is ready, and so has passed its self-test: those that follow are spared theirs.
  void worker_passed_its_test() { proven_ = true; }
  // No longer: the test may find now what it did not find before, such as that no thread can be started.
  void test_next_worker() { proven_ = false; }
  void ask_to_stop() { control_.send(ipc::Command::kStop); }
  void send_signal(int signal) const;
  // After it was reaped: takes what it said at the end and nobody has read yet.
  void read_last_words();

 private:
  LoaderProcess(boost::asio::io_context& io, common::UniqueFd control, LoaderEvents events);
  [[nodiscard]] bool take_milestone(const ipc::MilestoneMessage& message);

  LoaderEvents events_;
  ControlChannel control_;
  pid_t pid_{-1};
  bool said_hello_{false};
  bool proven_{false};
  bool ready_{false};
  bool reaped_{false};
  std::chrono::milliseconds load_time_{0};
  std::string load_failure_;
  common::SandboxState sandbox_;
  bool told_soft_denial_{false};
  int denied_count_{0};
  std::optional<DeniedCall> fatal_call_;
};

}  // namespace yolod::app::process
