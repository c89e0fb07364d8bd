// The end of a program that prints: what it has printed must have arrived, or its exit code says so.
#pragma once

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>

namespace yolod::common {

// `exit_code`; 1 in place of 0 where stdout did not take everything (a full disk, a closed descriptor), with the reason
// on stderr. Called last, once, by main's thread.
[[nodiscard]] inline int finish_output(int exit_code, const char* program) {
  errno = 0;
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout;
  if (!failed || errno == EPIPE) return exit_code;  // a reader that has seen enough is no failure
  const auto why = errno == 0 ? std::string("not everything could be written") : std::generic_category().message(errno);
  std::fprintf(stderr, "%s: stdout: %s\n", program, why.c_str());
  return exit_code == 0 ? 1 : exit_code;
}

}  // namespace yolod::common
