// Fault case 41: a process of the server's own user attacks the server, as a compromised worker could. Without
// protection such a process could attach to the front-end, read its memory and take its sockets.
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

#if defined(YOLOD_INSTRUMENTED)
constexpr bool kStaysTraceable = true;
#else
constexpr bool kStaysTraceable = false;
#endif

// A program that is executed after this call has no capability, whichever user it has. Async-signal-safe.
void drop_capabilities_at_exec() {
  constexpr int kLast = 63;
  for (int capability = 0; capability <= kLast; ++capability) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

void drop_capabilities_now() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  ::syscall(SYS_capset, &header, none);
}

int traced(pid_t target) {
  if (::ptrace(PTRACE_SEIZE, target, nullptr, nullptr) != 0) return errno;
  ::ptrace(PTRACE_DETACH, target, nullptr, nullptr);
  return 0;
}

int read_through_proc(pid_t target) {
  const int file = ::open(("/proc/" + std::to_string(target) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  return file < 0 ? errno : 0;
}

int took_descriptor(pid_t target) {
  const long process = ::syscall(SYS_pidfd_open, target, 0);
  if (process < 0) return errno;
  return ::syscall(SYS_pidfd_getfd, process, 0, 0) < 0 ? errno : 0;
}

int read_environment(pid_t target) {
  const int file = ::open(("/proc/" + std::to_string(target) + "/environ").c_str(), O_RDONLY | O_CLOEXEC);
  return file < 0 ? errno : 0;
}

// Runs `attempt` on `target` in such a process. Returns 0, or the errno of `attempt`.
int as_same_user(int (*attempt)(pid_t), pid_t target) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    drop_capabilities_now();
    ::_exit(attempt(target));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// An ordinary process of that user.
class OrdinaryProcess {
 public:
  OrdinaryProcess() : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      drop_capabilities_at_exec();
      ::execl("/bin/sleep", "sleep", "600", nullptr);
      ::_exit(127);
    }
    begin_child(pid_);
    (void)wait_until([this] { return as_same_user(read_environment, pid_) == 0; });
  }
  OrdinaryProcess(const OrdinaryProcess&) = delete;
  OrdinaryProcess& operator=(const OrdinaryProcess&) = delete;
  ~OrdinaryProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    end_child(pid_);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("SameUser: no process traces the front-end or a worker, reads its memory or takes its descriptors",
          "[process][case41]") {
  if (kStaysTraceable) {
    WARN("SKIPPED: a sanitizer's leak check needs processes that can be traced");
    return;
  }
  const OrdinaryProcess ordinary;
  for (const auto attempt : {traced, read_through_proc, took_descriptor, read_environment}) {
    if (as_same_user(attempt, ordinary.pid()) != 0) {
      WARN("SKIPPED: a process of this user may not do that to any other, so that a refusal would show nothing");
      return;
    }
  }
  ServerOptions options;
  options.config =
      identity_config({{.workers = 1}}, {}, "off");  // without the sandbox, so that only the other protections refuse
  options.before_exec = drop_capabilities_at_exec;
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  for (const pid_t pid : {server.pid(), server.worker_pids().at(0), server.loader_pid()}) {
    CAPTURE(pid == server.pid());
    CHECK(as_same_user(traced, pid) == EPERM);
    CHECK(as_same_user(read_through_proc, pid) == EACCES);
    CHECK(as_same_user(took_descriptor, pid) == EPERM);
    CHECK(as_same_user(read_environment, pid) == EACCES);
  }
}

}  // namespace yolod::tests
