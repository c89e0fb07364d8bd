#include "tests/support/accounts_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/accounts/protocol/codec.hpp"
#include "tests/support/failure_log.hpp"

namespace yolod::tests {

using namespace app::accounts::protocol;

namespace {

common::UniqueFd memory_of(const Secret& bytes) {
  common::UniqueFd file(memfd_create("yolod-accounts-settings", MFD_CLOEXEC));
  const auto view = bytes.view();
  if (view.empty() || write(file.get(), view.data(), view.size()) != static_cast<ssize_t>(view.size())) {
    throw std::runtime_error("the settings cannot be written");
  }
  return file;
}

}  // namespace

AccountsProcess::AccountsProcess(const Settings& settings, const std::vector<std::string>& with)
    : log_(directory_.write("log", "")) {
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  socket_.reset(ends[0]);
  const common::UniqueFd theirs(ends[1]);
  const auto memory = memory_of(encode(settings));
  const std::string program = (binary_directory() / "yolod-accounts").string();
  auto variables = environment_for_programs();
  variables.insert(variables.end(), with.begin(), with.end());
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  const std::array<const char*, 2> arguments{"yolod-accounts", nullptr};
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  constexpr int kOutOfTheWay = 64;
  const int socket = fcntl(theirs.get(), F_DUPFD_CLOEXEC, kOutOfTheWay);
  const int settings_file = fcntl(memory.get(), F_DUPFD_CLOEXEC, kOutOfTheWay);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(open(log_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), STDOUT_FILENO);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  dup2(socket, kSocketDescriptor);
  dup2(settings_file, kSettingsDescriptor);
  execve(program.c_str(), const_cast<char* const*>(arguments.data()), environment.data());
  _exit(127);
}

AccountsProcess::~AccountsProcess() {
  if (test_case_has_failed()) fprintf(stderr, "---- log of yolod-accounts %d ----\n%s", pid_, log().c_str());
  if (exit_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void AccountsProcess::send_bytes(std::string_view bytes) const {
  // If the process is gone, the missing answer fails the test.
  (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::uint64_t AccountsProcess::send(Command command, milliseconds deadline) {
  app::accounts::protocol::Request request;
  request.id = ++last_id_;
  request.deadline_ms = static_cast<std::uint32_t>(deadline.count());
  request.command = std::move(command);
  const Secret bytes = encode(request);
  if (bytes.empty()) throw std::runtime_error("the request cannot be encoded");
  send_bytes(bytes.view());
  return request.id;
}

bool AccountsProcess::take_one(Clock::time_point end) {
  pollfd readable{socket_.get(), POLLIN, 0};
  const auto left = std::chrono::ceil<milliseconds>(end - Clock::now()).count();
  if (left <= 0 || poll(&readable, 1, static_cast<int>(left)) <= 0) return false;
  std::array<char, kMaxMessageBytes> bytes;
  const ssize_t received = recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (received <= 0) return false;
  auto message = decode_message({bytes.data(), static_cast<std::size_t>(received)});
  if (!message) {
    broke_protocol_ = true;
    return true;
  }
  struct Take {
    AccountsProcess& process;
    bool operator()(Reply& reply) const {
      const auto id = reply.id;
      process.replies_.insert_or_assign(id, std::move(reply));  // bytes that are no request may have had the same id
      return true;
    }
    bool operator()(Hello& hello) const { return !std::exchange(process.hello_, std::move(hello)).has_value(); }
    bool operator()(const SnapshotBegin& begin) const { return process.table_.apply(begin); }
    bool operator()(const SnapshotEntries& entries) const { return process.table_.apply(entries); }
    bool operator()(const SnapshotEnd& told) const { return process.table_.apply(told); }
    bool operator()(const Changes& changes) const { return process.table_.apply(changes); }
    bool operator()(const Availability& availability) const {
      process.available_ = availability.available;
      return true;
    }
  };
  if (!std::visit(Take{*this}, *message)) broke_protocol_ = true;
  return true;
}

std::optional<Reply> AccountsProcess::wait_for(std::uint64_t id, milliseconds deadline) {
  if (!take_until([&] { return replies_.count(id) != 0; }, deadline)) return std::nullopt;
  auto node = replies_.extract(id);
  return std::move(node.mapped());
}

Reply AccountsProcess::ask(Command command, milliseconds deadline) {
  auto reply = wait_for(send(std::move(command), deadline));
  if (!reply) throw std::runtime_error("yolod-accounts does not answer: " + log());
  return *std::move(reply);
}

std::optional<Exit> AccountsProcess::wait_for_exit(milliseconds deadline) {
  int status = 0;
  if (!exit_ && wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, deadline)) {
    exit_ = WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  }
  return exit_;
}

}  // namespace yolod::tests
