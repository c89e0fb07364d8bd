#include "worker/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/unique_fd.hpp"
#include "ipc/control.hpp"
#include "tests/support/sealing_child.hpp"
#include "tests/support/temporary_directory.hpp"
#include "worker/sandbox/denied_call.hpp"
#include "worker/sandbox/filter.hpp"

namespace yolod::worker {
namespace {

using tests::in_sealing_child;
using tests::kCannotSeal;
using tests::opening;
using tests::TemporaryDirectory;

int in_filter(FilterKind kind, const std::function<int()>& body) {
  return in_sealing_child([&] {
    FilterSettings settings;
    settings.kind = kind;
    settings.own_pid = getpid();
    settings.front_end = getppid();
    if (!catch_denied_calls({}) || !apply_filter(settings)) return kCannotSeal;
    return body();
  });
}

// Forks without glibc, because glibc would look for threads to stop.
int clone_with(unsigned long flags) {
  return static_cast<int>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, 0));
}

}  // namespace

// ---- the filter ----

TEST_CASE("Filter: denied calls that look for files return an error, and all other denied calls end the process",
          "[worker][unit]") {
  for (const int call : {SYS_openat, SYS_openat2, SYS_faccessat2, SYS_statx, SYS_readlinkat, SYS_getcwd}) {
    CHECK(denied_call_fails_softly(call));
  }
  for (const int call : {SYS_socket, SYS_execve, SYS_ptrace, SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_bpf}) {
    CHECK_FALSE(denied_call_fails_softly(call));
  }
}

TEST_CASE("Filter: a worker makes threads, allocates, signals itself and writes to its open descriptors",
          "[worker][unit]") {
  int ends[2] = {-1, -1};
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const common::UniqueFd reader(ends[0]);
  const common::UniqueFd writer(ends[1]);
  CHECK(in_filter(FilterKind::kWorker, [&] {
          int seen = 0;
          std::thread([&seen] { seen = 1; }).join();
          const std::vector<char> memory(std::size_t{64} << 20U, 'x');
          if (seen != 1 || memory.back() != 'x') return 1;
          if (write(writer.get(), "x", 1) != 1) return 2;
          std::signal(SIGUSR1, [](int) {});
          return raise(SIGUSR1);
        }) == 0);
  CHECK(in_filter(FilterKind::kWorker, []() -> int { std::abort(); }) == -SIGABRT);
}

TEST_CASE("Filter: a worker neither forks nor signals another process", "[worker][unit]") {
  CHECK(in_filter(FilterKind::kWorker, [] { return static_cast<int>(syscall(SYS_kill, getppid(), 0)); }) == -SIGSYS);
  CHECK(in_filter(FilterKind::kWorker, [] { return static_cast<int>(syscall(SYS_tgkill, getppid(), getppid(), 0)); }) ==
        -SIGSYS);
  if (kInstrumented) return;  // a sanitizer's leak check makes a process
  CHECK(in_filter(FilterKind::kWorker, [] { return clone_with(SIGCHLD) == 0 ? 0 : 1; }) == -SIGSYS);
}

TEST_CASE("Filter: a loader forks, and its child narrows itself to a worker", "[worker][unit]") {
  CHECK(in_filter(FilterKind::kLoader, [] {
          const pid_t child = fork();
          if (child == 0) {
            FilterSettings settings;
            settings.own_pid = getpid();
            if (!catch_denied_calls({}) || !apply_filter(settings)) _exit(kCannotSeal);
            syscall(SYS_kill, getpid(), 0);
            _exit(0);
          }
          int status = 0;
          if (waitpid(child, &status, 0) != child) return 1;
          if (kInstrumented) return WIFEXITED(status) ? 0 : 2;  // its own pid is allowed there
          return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? 0 : 2;
        }) == 0);
  if (kInstrumented) return;
  CHECK(in_filter(FilterKind::kLoader, [] { return clone_with(CLONE_NEWUSER | SIGCHLD) == 0 ? 0 : 1; }) == -SIGSYS);
}

TEST_CASE("Filter: a process can send data to the peer of a socket, but not to an address", "[worker][unit]") {
  int ends[2] = {-1, -1};
  REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
  const common::UniqueFd near(ends[0]);
  const common::UniqueFd far(ends[1]);
  CHECK(in_filter(FilterKind::kWorker, [&] { return send(near.get(), "x", 1, 0) == 1 ? 0 : 1; }) == 0);
  CHECK(in_filter(FilterKind::kWorker, [&] {
          sockaddr address{};
          address.sa_family = AF_UNIX;
          return sendto(near.get(), "x", 1, 0, &address, sizeof address) == 1 ? 0 : 1;
        }) == -SIGSYS);
}

TEST_CASE("Filter: no process can become the receiver of a descriptor's signals", "[worker][unit]") {
  if (kInstrumented) return;
  CHECK(in_filter(FilterKind::kWorker, [] { return fcntl(STDERR_FILENO, F_SETOWN, getppid()); }) == -SIGSYS);
}

TEST_CASE("Filter: the filter covers threads that already run", "[worker][unit]") {
  CHECK(in_sealing_child([] {
          int ends[2] = {-1, -1};
          if (pipe2(ends, O_CLOEXEC) != 0) return 1;
          std::thread other([&ends] {
            char byte = 0;
            if (read(ends[0], &byte, 1) == 1) syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
            _exit(2);
          });
          FilterSettings settings;
          settings.own_pid = getpid();
          if (!catch_denied_calls({}) || !apply_filter(settings)) return kCannotSeal;
          if (write(ends[1], "x", 1) != 1) return 3;
          other.join();
          return 4;
        }) == -SIGSYS);
}

TEST_CASE("Filter: the handler of denied calls cannot be replaced", "[worker][unit]") {
  CHECK(in_filter(FilterKind::kWorker, [] { return std::signal(SIGSYS, SIG_IGN) == SIG_ERR ? 1 : 0; }) == -SIGSYS);
}

// The kernel takes an int where a filter sees 64 bits.
TEST_CASE("Filter: high bits that the kernel ignores do not hide a number from the filter", "[worker][unit]") {
  constexpr unsigned long kAbove = 1UL << 32U;
  CHECK(in_filter(FilterKind::kWorker, [] {
          struct {
            void (*handler)(int);
            unsigned long flags;
            void (*restorer)();
            unsigned long mask;
          } ignored{SIG_IGN, 0, nullptr, 0};
          return syscall(SYS_rt_sigaction, kAbove | SIGSYS, &ignored, nullptr, 8) == 0 ? 1 : 2;
        }) == -SIGSYS);
  CHECK(in_filter(FilterKind::kLoader, [] {
          const auto front_end = static_cast<unsigned long>(getppid());
          return syscall(SYS_tgkill, kAbove | front_end, front_end, 0) == 0 ? 1 : 2;
        }) == -SIGSYS);
  if (kInstrumented) return;  // those platforms have no list of allowed calls
  CHECK(in_filter(FilterKind::kWorker, [] {
          const auto parent = static_cast<unsigned long>(getppid());
          return syscall(SYS_tgkill, kAbove | parent, parent, 0) == 0 ? 1 : 2;
        }) == -SIGSYS);
}

TEST_CASE("Filter: while a model is loaded only the network and other programs are denied", "[worker][unit]") {
  CHECK(in_sealing_child([] {
          if (!apply_load_filter()) return kCannotSeal;
          if (syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0) != -1 || errno != EACCES) return 1;
          if (syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0) != -1 || errno != EACCES) return 2;
          char* const arguments[] = {nullptr};
          if (execve("/bin/true", arguments, arguments) != -1 || errno != EACCES) return 3;
          if (syscall(SYS_unshare, 0) != -1 || errno != EACCES) return 4;
          int result = 5;
          std::thread([&result] { result = opening("/proc/self/maps", O_RDONLY); }).join();
          return result;
        }) == 0);
}

TEST_CASE("Filter: binding a thread to a processor has no effect, but the call succeeds", "[worker][unit]") {
  if (kInstrumented) return;
  CHECK(in_filter(FilterKind::kWorker, [] {
          cpu_set_t before;
          cpu_set_t none;
          CPU_ZERO(&none);
          sched_getaffinity(0, sizeof before, &before);
          if (sched_setaffinity(0, sizeof none, &none) != 0) return 1;  // the kernel would refuse an empty set
          cpu_set_t after;
          sched_getaffinity(0, sizeof after, &after);
          return CPU_EQUAL(&before, &after) ? 0 : 2;
        }) == 0);
}

TEST_CASE("Filter: a denied call ends a process that blocks SIGSYS", "[worker][unit]") {
  CHECK(in_filter(FilterKind::kWorker, [] {
          sigset_t set;
          sigemptyset(&set);
          sigaddset(&set, SIGSYS);
          sigprocmask(SIG_BLOCK, &set, nullptr);
          return static_cast<int>(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
        }) == -SIGSYS);
}

TEST_CASE("Filter: the front-end learns which call ended a process, and which call failed first", "[worker][unit]") {
  if (kInstrumented) return;  // openat is Landlock's there
  auto channel = ipc::make_control_channel();
  REQUIRE(channel);
  CHECK(in_sealing_child([&] {
          FilterSettings settings;
          settings.own_pid = getpid();
          if (!catch_denied_calls({channel->second.get(), 7, false}) || !apply_filter(settings)) return kCannotSeal;
          for (int i = 0; i < 3; ++i) {
            if (opening("/etc/passwd", O_RDONLY) != EACCES) return 1;
          }
          return static_cast<int>(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
        }) == -SIGSYS);
  ipc::MilestoneMessage message{};
  pid_t sender = 0;
  REQUIRE(ipc::receive_milestone(channel->first.get(), 7, message, sender) == ipc::ReceiveResult::kReceived);
  CHECK(message.milestone == ipc::Milestone::kDenied);
  CHECK(message.denied_call == SYS_openat);
  CHECK(message.denied_errno == EACCES);
  REQUIRE(ipc::receive_milestone(channel->first.get(), 7, message, sender) == ipc::ReceiveResult::kReceived);
  CHECK(message.denied_call == SYS_socket);
  CHECK(message.denied_errno == 0);
  CHECK(ipc::receive_milestone(channel->first.get(), 7, message, sender) == ipc::ReceiveResult::kNothingYet);
}

// ---- the whole sandbox ----

TEST_CASE("Sandbox: off seals nothing and reports that", "[worker][unit]") {
  common::ModelConfig config;
  config.sandbox = common::SandboxMode::kOff;
  Sandbox sandbox(config);
  CHECK(sandbox.before_load().ok());
  CHECK(sandbox.seal_worker(-1, 1).ok());
  CHECK(sandbox.state() == common::SandboxState{common::SandboxMode::kOff, 0, false, {}});
}

TEST_CASE("Sandbox: a model that may run on a GPU is not sealed: auto reports that, and required refuses the model",
          "[worker][unit]") {
  common::ModelConfig config;
  config.source = common::DarknetSource{"/a.cfg", "/a.weights", "/a.names"};
  config.devices = {"cuda:0"};
  Sandbox automatic(config);
  CHECK(automatic.before_load().ok());
  CHECK(automatic.seal_worker(-1, 1).ok());
  CHECK_FALSE(automatic.state().seccomp);
  CHECK_THAT(automatic.state().missing, Catch::Contains("GPU"));
  config.sandbox = common::SandboxMode::kRequired;
  const auto refused = Sandbox(config).before_load();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == common::ErrorCode::kBadModel);
  CHECK_THAT(refused.error().message, Catch::Contains("sandbox: required") && Catch::Contains("GPU"));
}

}  // namespace yolod::worker
