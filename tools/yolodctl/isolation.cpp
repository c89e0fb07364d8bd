#include "tools/yolodctl/isolation.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "common/log.hpp"
#include "tools/yolodctl/own_arguments.hpp"

namespace yolod::tools {
namespace {

// Holds the pid of the process that waits.
constexpr const char* kVariable = "YOLODCTL_ISOLATED_BY";

// An exception that nobody catches, and abort() itself, would print more than the one line.
[[noreturn]] void end_quietly() {
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
  std::_Exit(1);
}

void begin_trial(std::chrono::milliseconds limit) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (std::to_string(getppid()) != std::getenv(kVariable)) std::_Exit(1);  // nobody waits any more
  unsetenv(kVariable);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::set_terminate(end_quietly);
  static_cast<void>(common::configure_log({}, "yolodctl"));  // what is concluded of the file is told there
  alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(limit).count()));
}

int report_end(int status, const std::string& file, std::chrono::milliseconds limit) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  switch (signal) {
    case SIGINT:
    case SIGTERM:
    case SIGHUP: break;
    case SIGALRM:
      std::fprintf(stderr, "yolodctl: %s: not loaded within %lld ms\n", file.c_str(),
                   static_cast<long long>(limit.count()));
      break;
    case SIGKILL: std::fprintf(stderr, "yolodctl: %s: killed, perhaps for want of memory\n", file.c_str()); break;
    default:
      std::fprintf(stderr, "yolodctl: %s: LibTorch crashed on it (%s): the file is damaged\n", file.c_str(),
                   strsignal(signal));
      break;
  }
  return 1;
}

}  // namespace

void isolate(const std::filesystem::path& file, std::chrono::milliseconds limit) {
  if (std::getenv(kVariable) != nullptr) {
    begin_trial(limit);
    return;
  }
  auto arguments = own_arguments();
  setenv(kVariable, std::to_string(getpid()).c_str(), 1);
  // LibTorch's and OpenBLAS's threads are here already: between fork and exec only what is safe then is called.
  const pid_t child = fork();
  if (child == 0) {
    execv("/proc/self/exe", arguments.pointers());
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0) {
    std::fprintf(stderr, "yolodctl: cannot start a process: %s\n", std::strerror(errno));
    std::exit(1);
  }
  std::exit(report_end(status, file.string(), limit));
}

void end_trial() { alarm(0); }

}  // namespace yolod::tools
