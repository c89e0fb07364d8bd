#include "tests/support/run_program.hpp"

#include <utility>

#include "tests/support/program.hpp"

namespace yolod::tests {

ProgramResult run_program(std::vector<std::string> arguments, milliseconds deadline) {
  Program program(std::move(arguments));
  const auto exit = program.wait(deadline);
  return {exit, program.output(), program.errors()};
}

}  // namespace yolod::tests
