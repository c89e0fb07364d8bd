// Ends a program that prints results: a failed write to stdout must change the exit code.
#pragma once

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>

namespace yolod::common {

// Returns `exit_code`, or 1 instead of 0 if stdout did not take all output (a full disk, a closed descriptor); then
// it prints the reason to stderr. Call it once, at the end, on the main thread.
[[nodiscard]] inline int finish_output(int exit_code, const char* program) {
  errno = 0;
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout;
  if (!failed || errno == EPIPE) return exit_code;  // a reader may close the pipe early
  const auto why = errno == 0 ? std::string("not everything could be written") : std::generic_category().message(errno);
  std::fprintf(stderr, "%s: stdout: %s\n", program, why.c_str());
  return exit_code == 0 ? 1 : exit_code;
}

}  // namespace yolod::common
