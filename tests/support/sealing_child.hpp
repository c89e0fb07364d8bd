// A child of the test that may take rights from itself, for good.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>

#include "common/unique_fd.hpp"
#include "tests/support/coverage.hpp"

namespace yolod::tests {

inline constexpr int kCannotSeal = 99;

// Calls `body` in a child that may seal itself. Returns the result of `body`, or minus the signal that ended the
// child.
inline int in_sealing_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    for (const int signal : {SIGABRT, SIGSEGV, SIGTERM}) std::signal(signal, SIG_DFL);  // not as Catch has them
    alarm(60);
    const int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? body() : kCannotSeal;
    write_coverage();
    _exit(result);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Returns 0 or errno.
inline int opening(const std::string& path, int flags) {
  const common::UniqueFd file(open(path.c_str(), flags | O_CLOEXEC, 0600));
  return file.valid() ? 0 : errno;
}

}  // namespace yolod::tests
