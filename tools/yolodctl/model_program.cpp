#include "tools/yolodctl/model_program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/system/sibling_program.hpp"
#include "common/unique_fd.hpp"
#include "tools/yolodctl/load_report.hpp"

namespace yolod::tools {
namespace {

int fail(const char* what, int number) {
  std::fprintf(stderr, "yolodctl: %s: %s\n", what, std::strerror(number));
  return 1;
}

[[noreturn]] void execute(const char* program, char* const* arguments, std::string_view thread_wait, pid_t parent,
                          int reports) {
  setenv(kLoadReports, std::to_string(reports).c_str(), 1);
  setenv(kLoadParent, std::to_string(parent).c_str(), 1);
  // libgomp reads this when it is loaded, before main().
  std::string variable(thread_wait);
  const bool said = std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
  if (!said) putenv(variable.data());
  // As in a worker: libopenblas otherwise starts one thread for each core when it is loaded, and these spin.
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  fcntl(reports, F_SETFD, 0);
  execv(program, arguments);
  _exit(fail(program, errno));
}

// Reads the last report in the pipe; the child writes each report in one call.
LoadReport read_report(int pipe) {
  LoadReport report{};
  if (read(pipe, &report, sizeof report) != static_cast<ssize_t>(sizeof report)) return {};
  LoadReport next{};
  while (read(pipe, &next, sizeof next) == static_cast<ssize_t>(sizeof next)) report = next;
  report.file.back() = '\0';
  return report;
}

int tell_signal(int signal, const LoadReport& report) {
  switch (signal) {
    case SIGINT:
    case SIGTERM:
    case SIGHUP:
    case SIGQUIT:
    case SIGPIPE:  // the reader of the output has closed the pipe
      std::signal(signal, SIG_DFL);
      std::raise(signal);
      return 1;
    default: break;
  }
  if (!report.loading) {
    std::fprintf(stderr, "yolodctl: ended by a signal (%s)\n", strsignal(signal));
  } else if (signal == SIGALRM) {
    std::fprintf(stderr, "yolodctl: %s: not loaded within %lld ms\n", report.file.data(), report.limit_ms);
  } else if (signal == SIGKILL) {
    std::fprintf(stderr, "yolodctl: %s: the kernel killed the program, perhaps because memory ran out\n",
                 report.file.data());
  } else {
    std::fprintf(stderr, "yolodctl: %s: LibTorch crashed on it (%s): the file is damaged\n", report.file.data(),
                 strsignal(signal));
  }
  return 1;
}

}  // namespace

int run_model_program(char* const* arguments, std::string_view thread_wait) {
  const auto program = common::find_sibling_program("yolodctl-model");
  if (!program) {
    std::fprintf(stderr, "yolodctl: %s\n", program.error().message.c_str());
    return 1;
  }
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail("cannot make a pipe", errno);
  const common::UniqueFd reports(ends[0]);
  common::UniqueFd child_end(ends[1]);
  // If the parent process ignores SIGCHLD, the kernel would discard the child's exit status.
  std::signal(SIGCHLD, SIG_DFL);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail("cannot start a process", errno);
  if (child == 0) execute(program->c_str(), arguments, thread_wait, parent, child_end.get());
  child_end.reset();
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fail("cannot wait for yolodctl-model", errno);
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return tell_signal(WTERMSIG(status), read_report(reports.get()));
}

}  // namespace yolod::tools
