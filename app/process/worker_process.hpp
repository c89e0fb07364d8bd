// One worker process as the front-end sees it: its pid, its lane, its control channel, and where in its life it is.
//
//   starting -> loading -> ready <-> busy -> (reaped)
//        \_________\_________\________\____-> (reaped)     any of them may die
//   draining: takes no more work; asked to stop, or about to be killed
//
// Of one that a loader forks, the pid is known from its hello on; one that ends before that has vanished.
//
// It has many members because one process has and says many things: two channels, a lane, and each milestone once. Most
// of its functions are the questions to those.
//
// Owned by the supervisor, from fork to reap. Front-end only, its one thread.
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

// Called from the event loop, never from inside a call into WorkerProcess; but for `claims`.
struct WorkerEvents {
  std::function<void(WorkerProcess&)> ready;                      // description() and load_time() are set
  std::function<void(WorkerProcess&)> completions;                // the lane may hold some
  std::function<void(WorkerProcess&, std::string_view)> broken;   // it says or wrote what a sane worker does not
  std::function<void(WorkerProcess&)> vanished;                   // nobody has its channel; it may be destroyed inside
  std::function<void(WorkerProcess&, const DeniedCall&)> denied;  // its sandbox let a call fail; it goes on
  // Its hello says that it is the process of that pid, which was not known. False if it cannot be.
  std::function<bool(pid_t)> claims;
};

class WorkerProcess {
 public:
  struct Identity {
    std::string model;
    std::uint32_t seat;       // which of the model's workers, for its device
    std::uint64_t launch_id;  // unique over the server's life
  };

  // Makes the process out of what it gets: its pid, or 0 where its hello will tell it.
  using Launch = std::function<common::Outcome<pid_t>(const ipc::LentDescriptors&)>;

  // Makes a lane and launches.
  [[nodiscard]] static common::Outcome<std::unique_ptr<WorkerProcess>> start(boost::asio::io_context& io,
                                                                             const ipc::LaneGeometry& geometry,
                                                                             Identity identity, WorkerEvents events,
                                                                             const Launch& launch);

  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  // The process must have been reaped: its lane goes with this object.
  ~WorkerProcess() = default;

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] pid_t pid() const { return pid_; }  // 0 as long as it is not known
  [[nodiscard]] WorkerState state() const { return state_; }
  [[nodiscard]] bool was_ready() const { return was_ready_; }
  // Ready or busy.
  [[nodiscard]] bool serves() const { return state_ == WorkerState::kReady || state_ == WorkerState::kBusy; }
  [[nodiscard]] std::chrono::milliseconds load_time() const { return load_time_; }
  [[nodiscard]] const common::ModelDescription& description() const { return description_; }
  [[nodiscard]] const std::string& load_failure() const { return load_failure_; }
  // What it says of its sandbox; set when it is ready.
  [[nodiscard]] const common::SandboxState& sandbox() const { return sandbox_; }
  // The call that its sandbox ended it for, if it said so.
  [[nodiscard]] const std::optional<DeniedCall>& fatal_call() const { return fatal_call_; }
  [[nodiscard]] ipc::LaneOwner& lane() { return lane_; }

  // How many requests the dispatcher has with it: decides between ready and busy.
  void set_outstanding(std::uint32_t count);
  [[nodiscard]] std::uint32_t outstanding() const { return outstanding_; }
  // It has answered one request more. `predicted`: with a prediction; else it refused the request, or failed.
  void count_answer(bool predicted) {
    ++requests_served_;
    if (predicted) ++predictions_made_;
  }
  [[nodiscard]] std::uint64_t requests_served() const { return requests_served_; }  // shown in /status
  [[nodiscard]] std::uint64_t predictions_made() const { return predictions_made_; }
  // Tells it to look at its lane, if it would not by itself.
  void wake();
  // Gives it no more work.
  void retire() { state_ = WorkerState::kDraining; }
  // Asks it to finish what it has and exit.
  void ask_to_stop();
  // Of one whose pid is not known: SIGKILL, once it is.
  void send_signal(int signal);
  // Whether it is the process that was just reaped: it may have said hello, and nobody has read that yet.
  void learn_pid(pid_t reaped);
  // After it was reaped: takes why its load failed, if it said so at the end. It is not ready any more, whatever it
  // said.
  void read_last_words();

 private:
  WorkerProcess(boost::asio::io_context& io, Identity identity, WorkerEvents events, ipc::LaneOwner lane,
                common::UniqueFd control, common::UniqueFd doorbell);
  // False for one that no sane worker sends at this point of its life.
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
