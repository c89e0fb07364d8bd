// A worker program for unit tests of the front-end. It loads nothing and obeys a test, over a socket whose path is in
// its model's settings as `loader_probe`. The test's side is tests/support/puppets.hpp.
//
// First the puppet sends its name to the test: "loader PID" or "worker PID SEAT". Then each message is a command:
//
//   hello | ready | ready-unsealed | fail TEXT | deny ERRNO | nonsense    sends that on the control channel
//   fork                        the loader forks a worker when the front-end asks; that worker is a puppet too
//   serve                       sends hello and ready, and then serves, forks and stops as a normal process does
//   ring COUNT                  rings the doorbell
//   hang-up                     closes its control channel
//   exit CODE | signal NUMBER   ends the process
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/domain/description.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/unique_fd.hpp"
#include "ipc/control.hpp"
#include "ipc/description_codec.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/fork_command.hpp"
#include "ipc/lane.hpp"
#include "ipc/layout.hpp"
#include "ipc/prediction_codec.hpp"

namespace {

using namespace yolod;
using common::UniqueFd;

std::string settings() {
  std::string text;
  std::array<char, 4096> some{};
  lseek(ipc::kConfigDescriptor, 0, SEEK_SET);
  for (ssize_t bytes = 0; (bytes = read(ipc::kConfigDescriptor, some.data(), some.size())) > 0;) {
    text.append(some.data(), static_cast<std::size_t>(bytes));
  }
  return text;
}

// Returns the value of `loader_probe: "..."`.
std::string socket_path(const std::string& yaml) {
  constexpr std::string_view kKey = "loader_probe:";
  auto at = yaml.find(kKey);
  if (at == std::string::npos) return {};
  at = yaml.find('/', at);
  return yaml.substr(at, yaml.find_first_of("\"'\n", at) - at);
}

class Puppet {
 public:
  // A loader has no `lane`.
  Puppet(std::string path, UniqueFd control, std::optional<UniqueFd> lane, UniqueFd doorbell)
      : path_(std::move(path)), control_(std::move(control)), doorbell_(std::move(doorbell)) {
    if (lane) {
      auto opened = ipc::LaneUser::open(std::move(*lane));
      if (!opened) _exit(ipc::kExitBadStart);
      lane_.emplace(std::move(*opened));
    }
    connect_to_test();
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<pollfd, 2> wait{{{test_.get(), POLLIN, 0}, {serves_ ? control_.get() : -1, POLLIN, 0}}};
      const int found = poll(wait.data(), wait.size(), serves_ ? 1 : -1);
      if (found < 0 && errno != EINTR) _exit(1);
      if (wait[0].revents != 0) take_command();
      if (serves_) serve();
    }
  }

 private:
  void connect_to_test() {
    test_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (connect(test_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(1);
    const std::string who = lane_ ? "worker " + std::to_string(getpid()) + ' ' + std::to_string(lane_->seat())
                                  : "loader " + std::to_string(getpid());
    (void)!write(test_.get(), who.data(), who.size());
  }

  void take_command() {
    std::array<char, 512> text{};
    const ssize_t bytes = read(test_.get(), text.data(), text.size());
    if (bytes <= 0) _exit(ipc::kExitStopped);  // the test is over
    const std::string_view command(text.data(), static_cast<std::size_t>(bytes));
    const auto space = std::min(command.find(' '), command.size());
    const std::string_view verb = command.substr(0, space);
    const std::string rest(command.substr(std::min(space + 1, command.size())));
    if (verb == "hello") say(ipc::Milestone::kHello);
    if (verb == "ready") say_ready({common::SandboxMode::kAuto, 7, true, {}});
    if (verb == "ready-unsealed") say_ready({common::SandboxMode::kAuto, 0, false, "no seccomp here"});
    if (verb == "fail") say(ipc::Milestone::kLoadFailed, rest);
    if (verb == "deny") deny(static_cast<std::uint32_t>(std::atoi(rest.c_str())));
    if (verb == "nonsense") (void)!write(control_.get(), "nonsense", 8);
    if (verb == "fork") fork_one();
    if (verb == "serve") begin_to_serve();
    if (verb == "ring") {
      for (int i = std::atoi(rest.c_str()); i > 0; --i) ipc::ring_doorbell(doorbell_.get());
    }
    if (verb == "hang-up") control_.reset();
    if (verb == "exit") _exit(std::atoi(rest.c_str()));
    if (verb == "signal") {
      std::signal(std::atoi(rest.c_str()), SIG_DFL);
      raise(std::atoi(rest.c_str()));
    }
    // The test waits for this message.
    if (verb != "fork" && verb != "serve") (void)!write(test_.get(), "done", 4);
  }

  [[nodiscard]] std::uint64_t launch_id() const { return lane_ ? lane_->launch_id() : ipc::kLoaderLaunchId; }
  void say(ipc::Milestone milestone, std::string_view text = {}) const {
    ipc::send_milestone(control_.get(), ipc::make_milestone(milestone, launch_id(), text));
  }
  void say_ready(const common::SandboxState& sandbox) {
    auto message = ipc::make_milestone(ipc::Milestone::kReady, launch_id());
    ipc::put_sandbox(message, sandbox);
    message.load_ms = 5;
    if (lane_) {
      common::ModelDescription description;
      description.task = "identity";
      description.device = "cpu";
      const auto bytes = ipc::encode_description(description, lane_->description());
      if (!bytes) _exit(1);
      message.description_bytes = static_cast<std::uint32_t>(*bytes);
    }
    ipc::send_milestone(control_.get(), message);
  }
  void deny(std::uint32_t error) const {
    auto message = ipc::make_milestone(ipc::Milestone::kDenied, launch_id(), "/etc/shadow");
    message.denied_call = 101;  // ptrace on x86-64
    message.denied_errno = error;
    ipc::send_milestone(control_.get(), message);
  }

  // Waits for the front-end's command to fork.
  void fork_one() {
    auto command = ipc::wait_for_loader_command(control_.get());
    if (!command || command->command == ipc::Command::kStop) _exit(ipc::kExitStopped);
    if (!ipc::is_fork(command->command)) return;
    const pid_t front_end = getppid();
    const pid_t between = fork();
    if (between > 0) {
      while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) continue;
      return;
    }
    const pid_t own = getpid();
    if (fork() != 0) _exit(0);
    while (getppid() == own) usleep(20);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != front_end) _exit(0);
    test_.reset();
    control_.reset();
    Puppet worker(path_, std::move(command->descriptors.control), std::move(command->descriptors.lane),
                  std::move(command->descriptors.doorbell));
    worker.run();
  }

  void begin_to_serve() {
    serves_ = true;
    say(ipc::Milestone::kHello);
    say_ready({common::SandboxMode::kAuto, 7, true, {}});
  }
  void serve() {
    if (!lane_) {
      pollfd wait{control_.get(), POLLIN, 0};
      if (poll(&wait, 1, 0) > 0) fork_one();
      return;
    }
    while (const auto command = ipc::poll_command(control_.get())) {
      if (*command == ipc::Command::kStop) _exit(ipc::kExitStopped);
    }
    bool any = false;
    for (ipc::RequestCell cell{}; lane_->pop_request(cell) == ipc::PopResult::kPopped; any = true) {
      lane_->mark_running(cell.slot, cell.id, ipc::WorkPhase::kComputing);
      const common::Prediction answer =
          common::IdentityAnswer{cell.content_bytes, 0, static_cast<std::uint32_t>(getpid())};
      const auto bytes = ipc::encode_prediction(answer, lane_->result_slot(cell.slot));
      if (!bytes) _exit(1);
      (void)lane_->push_completion({cell.id, *bytes, cell.slot, 0, 1, 2, 3, 0});
    }
    if (!any) return;
    lane_->publish_completions();
    ipc::ring_doorbell(doorbell_.get());
  }

  const std::string path_;
  UniqueFd control_;
  UniqueFd doorbell_;
  std::optional<ipc::LaneUser> lane_;
  UniqueFd test_;
  bool serves_{false};
};

}  // namespace

int main(int argc, char**) {
  const std::string path = socket_path(settings());
  if (path.empty()) return ipc::kExitBadStart;
  const bool is_loader = argc > 1;
  std::optional<UniqueFd> lane;
  if (!is_loader) lane.emplace(ipc::kLaneDescriptor);
  Puppet(path, UniqueFd(ipc::kControlDescriptor), std::move(lane), UniqueFd(is_loader ? -1 : ipc::kDoorbellDescriptor))
      .run();
}
