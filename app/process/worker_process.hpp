// WorkerProcess is the front-end's view of one worker process: its pid, its lane, its control channel and its state.
//
//   starting -> loading -> ready <-> busy -> (reaped)
//        \_________\_________\________\____-> (reaped)     a worker may die in any state
//   draining: takes no more work; asked to stop, or about to be killed
//
// If a loader forks the worker, the front-end learns its pid from its hello. A worker that ends before that has
// vanished.
//
// The class has many members because it holds two channels, a lane, and the data of each milestone.
//
// The supervisor owns it from fork to reap. Only the thread of the front-end may call it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/process/control_channel.hpp"
#include "app/process/denied_call.hpp"
#include "app/process/doorbell_listener.hpp"
#include "common/clock.hpp"
#include "common/domain/description.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"
#include "ipc/fork_command.hpp"
#include "ipc/lane.hpp"

namespace yolod::app::process {

enum class WorkerState { kStarting, kLoading, kReady, kBusy, kDraining };
[[nodiscard]] std::string_view to_string(WorkerState state);

class WorkerProcess;

// The event loop calls these, never from inside a call into WorkerProcess. The exception is `claims`.
struct WorkerEvents {
  std::function<void(WorkerProcess&)> ready;        // description() and load_time() are set
  std::function<void(WorkerProcess&)> completions;  // the lane may hold completions
  // The worker sent or wrote what a correct worker does not.
  std::function<void(WorkerProcess&, std::string_view)> broken;
  // No process holds the other end of the control channel. The callback may destroy the worker.
  std::function<void(WorkerProcess&)> vanished;
  // The sandbox made a system call of the worker fail. The worker continues.
  std::function<void(WorkerProcess&, const DeniedCall&)> denied;
  // The worker's hello came from `pid`, which was not known before. Returns false if that process cannot be this
  // worker.
  std::function<bool(pid_t)> claims;
};

class WorkerProcess {
 public:
  struct Identity {
    std::string model;
    std::uint32_t seat;       // number of the worker in its model; selects the device
    std::uint64_t launch_id;  // unique over the server's life
  };

  // Starts the process with these descriptors. Returns its pid, or 0 if the hello will tell the pid.
  using Launch = std::function<common::Outcome<pid_t>(const ipc::LentDescriptors&)>;

  // Makes a lane, a control channel and a doorbell, and starts the process. Returns kSystem on failure.
  [[nodiscard]] static common::Outcome<std::unique_ptr<WorkerProcess>> start(boost::asio::io_context& io,
                                                                             const ipc::LaneGeometry& geometry,
                                                                             Identity identity, WorkerEvents events,
                                                                             const Launch& launch);

  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  // REQUIRES: the process has been reaped. The destructor unmaps its lane.
  ~WorkerProcess() = default;

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] pid_t pid() const { return pid_; }  // 0 until it is known
  [[nodiscard]] WorkerState state() const { return state_; }
  [[nodiscard]] bool was_ready() const { return was_ready_; }
  // Returns whether the worker is ready or busy.
  [[nodiscard]] bool serves() const { return state_ == WorkerState::kReady || state_ == WorkerState::kBusy; }
  [[nodiscard]] std::chrono::milliseconds load_time() const { return load_time_; }
  [[nodiscard]] const common::ModelDescription& description() const { return description_; }
  [[nodiscard]] const std::string& load_failure() const { return load_failure_; }
  // Returns the worker's report of its sandbox. It is empty until the worker is ready.
  [[nodiscard]] const common::SandboxState& sandbox() const { return sandbox_; }
  // Returns the system call for which the sandbox ended the worker, if the worker reported it.
  [[nodiscard]] const std::optional<DeniedCall>& fatal_call() const { return fatal_call_; }
  [[nodiscard]] ipc::LaneOwner& lane() { return lane_; }

  // Sets how many requests the dispatcher has assigned to the worker. The state is then ready (0) or busy.
  void set_outstanding(std::uint32_t count);
  [[nodiscard]] std::uint32_t outstanding() const { return outstanding_; }
  // Counts one more answer. `predicted`: the answer is a prediction. Otherwise the worker refused the request, or
  // failed.
  void count_answer(bool predicted) {
    ++requests_served_;
    if (predicted) ++predictions_made_;
  }
  [[nodiscard]] std::uint64_t requests_served() const { return requests_served_; }  // shown in /status
  [[nodiscard]] std::uint64_t predictions_made() const { return predictions_made_; }
  // Wakes the worker if it sleeps.
  void wake();
  // The worker gets no more work.
  void retire() { state_ = WorkerState::kDraining; }
  // Asks the worker to finish its work and exit.
  void ask_to_stop();
  // If the pid is not known yet, sends SIGKILL when it becomes known.
  void send_signal(int signal);
  // Checks whether the process that was just reaped is this worker: reads a hello that has arrived and was not read
  // yet.
  void learn_pid(pid_t reaped);
  // Call this after the worker was reaped. It reads why the load failed, if the worker sent that before its death.
  // The worker does not become ready any more, whatever it sent.
  void read_last_words();

 private:
  WorkerProcess(boost::asio::io_context& io, Identity identity, WorkerEvents events, ipc::LaneOwner lane,
                common::UniqueFd control, common::UniqueFd doorbell);
  // Returns false for a message that a correct worker does not send in this state.
  [[nodiscard]] bool take_milestone(const ipc::MilestoneMessage& message, pid_t sender);
  void become_ready(const ipc::MilestoneMessage& message);
  [[nodiscard]] bool take_denied(const DeniedCall& call);

  Identity identity_;
  WorkerEvents events_;
  ipc::LaneOwner lane_;
  ControlChannel control_;
  DoorbellListener doorbell_;
  pid_t pid_{0};
  pid_t just_reaped_{0};
  bool kill_when_known_{false};
  bool reaped_{false};
  WorkerState state_{WorkerState::kStarting};
  bool said_hello_{false};
  bool was_ready_{false};
  std::uint32_t outstanding_{0};
  std::uint64_t requests_served_{0};
  std::uint64_t predictions_made_{0};
  std::chrono::milliseconds load_time_{0};
  common::ModelDescription description_;
  std::string load_failure_;
  common::SandboxState sandbox_;
  bool told_soft_denial_{false};
  std::optional<DeniedCall> fatal_call_;
};

}  // namespace yolod::app::process
