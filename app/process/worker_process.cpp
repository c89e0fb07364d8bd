#include "app/process/worker_process.hpp"

#include <csignal>
#include <utility>

#include "ipc/description_codec.hpp"
#include "ipc/doorbell.hpp"

namespace yolod::app::process {

namespace asio = boost::asio;
using common::Outcome;
using common::UniqueFd;

std::string_view to_string(WorkerState state) {
  switch (state) {
    case WorkerState::kStarting: return "starting";
    case WorkerState::kLoading: return "loading";
    case WorkerState::kReady: return "ready";
    case WorkerState::kBusy: return "busy";
    case WorkerState::kDraining: return "draining";
  }
  return "dead";
}

WorkerProcess::WorkerProcess(asio::io_context& io, Identity identity, WorkerEvents events, ipc::LaneOwner lane,
                             UniqueFd control, UniqueFd doorbell)
    : identity_(std::move(identity)),
      events_(std::move(events)),
      lane_(std::move(lane)),
      control_(io, std::move(control), identity_.launch_id,
               {[this](const auto& message, pid_t sender) { return take_milestone(message, sender); },
                [this](std::string_view why) { events_.broken(*this, why); },
                [this] {
                  if (pid_ != 0) return;  // waitpid() reports the death of this process
                  const auto vanished = events_.vanished;
                  vanished(*this);
                }}),
      doorbell_(io, std::move(doorbell),
                {[this] {
                   events_.completions(*this);
                   return requests_served_;
                 },
                 [this](const std::string& why) { events_.broken(*this, why); }}) {}

Outcome<std::unique_ptr<WorkerProcess>> WorkerProcess::start(asio::io_context& io, const ipc::LaneGeometry& geometry,
                                                             Identity identity, WorkerEvents events,
                                                             const Launch& launch) {
  auto lane = ipc::LaneOwner::create(geometry, identity.launch_id, identity.seat);
  if (!lane) return lane.error();
  auto channel = ipc::make_control_channel();
  if (!channel) return channel.error();
  auto doorbell = ipc::make_doorbell();
  if (!doorbell) return doorbell.error();

  const auto pid = launch({channel->second.get(), lane->descriptor(), doorbell->get()});
  if (!pid) return pid.error();
  lane->close_descriptor();

  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(io, std::move(identity), std::move(events), std::move(*lane),
                                                          std::move(channel->first), std::move(*doorbell)));
  worker->pid_ = *pid;
  worker->control_.listen();
  worker->doorbell_.listen();
  return worker;
}

bool WorkerProcess::take_milestone(const ipc::MilestoneMessage& message, pid_t sender) {
  const bool loading = !was_ready_ && load_failure_.empty();
  if (pid_ != 0 && sender != pid_) return false;
  switch (message.milestone) {
    case ipc::Milestone::kHello:
      if (said_hello_ || (pid_ == 0 && sender != just_reaped_ && !events_.claims(sender))) return false;
      said_hello_ = true;
      pid_ = sender;
      if (sender == just_reaped_) {
        reaped_ = true;
      } else if (kill_when_known_) {  // claims() has checked that it is a child of this process
        kill(pid_, SIGKILL);
      }
      if (state_ == WorkerState::kStarting) state_ = WorkerState::kLoading;
      return true;
    case ipc::Milestone::kReady:
      if (!said_hello_ || !loading) return false;
      if (!reaped_) become_ready(message);
      return true;
    case ipc::Milestone::kLoadFailed:
      if (!said_hello_ || !loading) return false;
      load_failure_ = ipc::load_failure_of(message);
      return true;
    case ipc::Milestone::kDenied: return said_hello_ && take_denied(denied_call_of(message));
  }
  return false;
}

// Takes one denied call of each kind. A correct worker reports the first call that failed and the call that ended
// it.
bool WorkerProcess::take_denied(const DeniedCall& call) {
  if (call.soft_errno == 0) {
    if (fatal_call_) return false;
    fatal_call_ = call;
    return true;
  }
  if (std::exchange(told_soft_denial_, true)) return false;
  events_.denied(*this, call);
  return true;
}

void WorkerProcess::learn_pid(pid_t reaped) {
  just_reaped_ = reaped;
  control_.read_now();
  just_reaped_ = 0;
}

void WorkerProcess::read_last_words() {
  reaped_ = true;
  control_.read_now();
}

void WorkerProcess::become_ready(const ipc::MilestoneMessage& message) {
  const auto bytes = lane_.copy_description(message.description_bytes);
  auto description = bytes ? ipc::decode_description(*bytes) : std::nullopt;
  if (!description) {
    events_.broken(*this, "a description of its model that cannot be read");
    return;
  }
  description_ = std::move(*description);
  load_time_ = std::chrono::milliseconds(message.load_ms);
  sandbox_ = ipc::sandbox_of(message);
  was_ready_ = true;
  if (state_ == WorkerState::kDraining) return;
  state_ = WorkerState::kReady;
  events_.ready(*this);
}

void WorkerProcess::set_outstanding(std::uint32_t count) {
  outstanding_ = count;
  if (serves()) {
    state_ = count == 0 ? WorkerState::kReady : WorkerState::kBusy;
  }
}

void WorkerProcess::wake() {
  if (lane_.worker_sleeps()) control_.send(ipc::Command::kWake);
}

void WorkerProcess::ask_to_stop() {
  retire();
  control_.send(ipc::Command::kStop);
}

// The pid cannot be reused here: only this process reaps the worker.
void WorkerProcess::send_signal(int signal) {
  if (pid_ == 0) {
    kill_when_known_ = true;
  } else {
    kill(pid_, signal);
  }
}

}  // namespace yolod::app::process
