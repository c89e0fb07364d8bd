#include "app/process/worker_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "ipc/control.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/messages.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Outcome;
using common::UniqueFd;

// The model's settings as a sealed file: an argument list would show in ps.
Outcome<UniqueFd> make_config_file(const std::string& yaml) {
  UniqueFd file(memfd_create("yolod-config", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return common::last_system_error("memfd_create");
  if (write(file.get(), yaml.data(), yaml.size()) != static_cast<ssize_t>(yaml.size())) {
    return common::last_system_error("cannot write a worker's settings");
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return common::last_system_error("cannot seal a worker's settings");
  }
  return file;
}

}  // namespace

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

WorkerProcess::WorkerProcess(asio::io_context& io, Place place, WorkerEvents events, ipc::LaneOwner lane,
                             UniqueFd control, UniqueFd doorbell)
    : place_(std::move(place)),
      events_(std::move(events)),
      lane_(std::move(lane)),
      control_(io, control.release()),
      doorbell_(io, doorbell.release()) {}

Outcome<std::unique_ptr<WorkerProcess>> WorkerProcess::start(asio::io_context& io, const SpawnSettings& spawn,
                                                             const ipc::InputArena& arena,
                                                             const ipc::LaneGeometry& geometry,
                                                             const std::string& config_yaml, Place place,
                                                             WorkerEvents events) {
  auto lane = ipc::LaneOwner::create(geometry, place.generation);
  if (!lane) return lane.error();
  auto channel = ipc::make_control_channel();
  if (!channel) return channel.error();
  auto doorbell = ipc::make_doorbell();
  if (!doorbell) return doorbell.error();
  auto config = make_config_file(config_yaml);
  if (!config) return config.error();

  auto pid = spawn_worker(
      spawn, {channel->second.get(), lane->descriptor(), arena.descriptor(), doorbell->get(), config->get()});
  if (!pid) return pid.error();
  lane->close_descriptor();

  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(io, std::move(place), std::move(events), std::move(*lane),
                                                          std::move(channel->first), std::move(*doorbell)));
  worker->pid_ = *pid;
  worker->await_control();
  worker->await_doorbell();
  return worker;
}

void WorkerProcess::await_control() {
  control_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this, alive = std::weak_ptr<void>(alive_)](error_code failure) {
                        if (!failure && !alive.expired()) read_control();
                      });
}

void WorkerProcess::await_doorbell() {
  doorbell_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this, alive = std::weak_ptr<void>(alive_)](error_code failure) {
                         if (failure || alive.expired()) return;
                         // Silenced before the lane is read: a ring in between is then heard at the next wait.
                         ipc::silence_doorbell(doorbell_.native_handle());
                         await_doorbell();
                         events_.completions(*this);
                       });
}

// One message at a time: a worker that sent them without end would otherwise hold the event loop for ever.
void WorkerProcess::read_control() {
  ipc::MilestoneMessage message{};
  switch (ipc::receive_milestone(control_.native_handle(), place_.generation, message)) {
    case ipc::ReceiveResult::kNothingYet: break;
    case ipc::ReceiveResult::kClosed: return;  // its death is told by waitpid
    case ipc::ReceiveResult::kMalformed: events_.broken(*this, "a malformed message on its control channel"); return;
    case ipc::ReceiveResult::kReceived:
      if (!take_milestone(message)) {
        events_.broken(*this, "a message on its control channel that cannot come now");
        return;
      }
      break;
  }
  await_control();
}

bool WorkerProcess::take_milestone(const ipc::MilestoneMessage& message) {
  const bool loading = !was_ready_ && load_failure_.empty();
  switch (message.milestone) {
    case ipc::Milestone::kHello:
      if (said_hello_) return false;
      said_hello_ = true;
      if (state_ == WorkerState::kStarting) state_ = WorkerState::kLoading;
      return true;
    case ipc::Milestone::kReady:
      if (!said_hello_ || !loading) return false;
      become_ready(message.description_bytes, message.load_ms);
      return true;
    case ipc::Milestone::kLoadFailed:
      if (!said_hello_ || !loading) return false;
      load_failure_.assign(message.text, message.text_bytes);
      if (load_failure_.empty()) load_failure_ = "it gave no reason";
      return true;
  }
  return false;
}

void WorkerProcess::read_last_words() {
  ipc::MilestoneMessage message{};
  constexpr int kMost = 3;  // there are no more kinds
  for (int i = 0; i < kMost; ++i) {
    if (ipc::receive_milestone(control_.native_handle(), place_.generation, message) != ipc::ReceiveResult::kReceived) {
      return;
    }
    if (message.milestone == ipc::Milestone::kLoadFailed && load_failure_.empty()) {
      load_failure_.assign(message.text, message.text_bytes);
    }
  }
}

void WorkerProcess::become_ready(std::uint32_t description_bytes, std::uint32_t load_ms) {
  const auto bytes = lane_.copy_description(description_bytes);
  auto description = bytes ? ipc::decode_description(*bytes) : std::nullopt;
  if (!description) {
    events_.broken(*this, "a description of its model that cannot be read");
    return;
  }
  description_ = std::move(*description);
  load_time_ = std::chrono::milliseconds(load_ms);
  was_ready_ = true;
  if (state_ == WorkerState::kDraining) return;
  state_ = WorkerState::kReady;
  events_.ready(*this);
}

void WorkerProcess::set_outstanding(std::uint32_t count) {
  outstanding_ = count;
  if (state_ == WorkerState::kReady || state_ == WorkerState::kBusy) {
    state_ = count == 0 ? WorkerState::kReady : WorkerState::kBusy;
  }
}

void WorkerProcess::wake() { ipc::send_command(control_.native_handle(), ipc::Command::kWake); }

void WorkerProcess::ask_to_stop() {
  retire();
  ipc::send_command(control_.native_handle(), ipc::Command::kStop);
}

// No pid can be reused here: the process is ours until we reap it.
void WorkerProcess::send_signal(int signal) { kill(pid_, signal); }

}  // namespace yolod::app
