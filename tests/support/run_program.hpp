// Runs a program to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/deadline.hpp"
#include "tests/support/server.hpp"

namespace yolod::tests {

struct ProgramResult {
  std::optional<Exit> exit;  // nothing: the program was killed at the deadline
  std::string output;        // stdout
  std::string errors;        // stderr
};

// `arguments[0]` is a path, or the name of a program of the build. stdin is empty.
[[nodiscard]] ProgramResult run_program(std::vector<std::string> arguments, milliseconds deadline = kGenerous);

}  // namespace yolod::tests
