// LoaderProcess is the front-end's view of a model's loader. The loader loads the model once, and each worker is
// forked from it (worker/loader.hpp).
//
//   loading -> ready -> (reaped)
//      \________________-> (reaped)      it may die at any time: the workers that it has forked continue to serve
//
// The supervisor owns it from fork to reap. Only the thread of the front-end may call it.
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

// The event loop calls these.
struct LoaderEvents {
  std::function<void(LoaderProcess&)> ready;
  std::function<void(LoaderProcess&, std::string_view why)> broken;
  // The sandbox made a system call of the loader fail. The loader continues.
  std::function<void(LoaderProcess&, const DeniedCall&)> denied;
  // The control channel closed: the loader is dead, or can take no more commands.
  std::function<void(LoaderProcess&)> closed;
};

class LoaderProcess {
 public:
  // Forks this process and executes yolod-worker. `kind` is kLoader or kBackgroundLoader. `config_yaml` is
  // emit_model() of its model. `output` becomes the loader's descriptors 1 and 2. Returns kSystem on failure.
  [[nodiscard]] static common::Outcome<std::unique_ptr<LoaderProcess>> start(boost::asio::io_context& io,
                                                                             const SpawnSettings& spawn,
                                                                             const ipc::InputArena& arena,
                                                                             const std::string& config_yaml, int output,
                                                                             ChildKind kind, LoaderEvents events);
  LoaderProcess(const LoaderProcess&) = delete;
  LoaderProcess& operator=(const LoaderProcess&) = delete;
  // REQUIRES: the process has been reaped.
  ~LoaderProcess() = default;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] std::chrono::milliseconds load_time() const { return load_time_; }
  [[nodiscard]] const std::string& load_failure() const { return load_failure_; }

  // Returns the loader's report of its sandbox. It is empty until the loader is ready.
  [[nodiscard]] const common::SandboxState& sandbox() const { return sandbox_; }
  // Returns the system call for which the sandbox ended the loader, if the loader reported it.
  [[nodiscard]] const std::optional<DeniedCall>& fatal_call() const { return fatal_call_; }

  // Asks for one more worker, which gets `descriptors`. Returns false if the loader cannot take the command. The
  // worker sends its hello on its own channel. If the fork fails, that channel closes without a message.
  [[nodiscard]] bool fork_worker(const ipc::LentDescriptors& descriptors) {
    return control_.send_fork(descriptors, proven_ ? ipc::Command::kForkProven : ipc::Command::kFork);
  }
  // A forked worker is ready, so it has passed its self-test. The workers that follow skip theirs.
  void worker_passed_its_test() { proven_ = true; }
  // The next worker runs the self-test again: it may find a new fault, for example that no thread can be started.
  void test_next_worker() { proven_ = false; }
  void ask_to_stop() { control_.send(ipc::Command::kStop); }
  void send_signal(int signal) const;
  // Call this after the loader was reaped. It reads the messages that the loader sent before its death.
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
