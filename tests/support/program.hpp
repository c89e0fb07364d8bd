// A program that runs beside a test.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/deadline.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

class Program {
 public:
  // `arguments[0]` is a path, or the name of a program of the build. stdin is empty. Throws std::system_error if the
  // program cannot be started. A missing program exits with 127.
  explicit Program(std::vector<std::string> arguments);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  // Kills and reaps the program if it still runs.
  ~Program();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Returns what the program has written so far to stdout and to stderr.
  [[nodiscard]] std::string output() const { return read_file(output_); }
  [[nodiscard]] std::string errors() const { return read_file(errors_); }

  // Returns how the program ended, or nothing if it still runs at the deadline.
  [[nodiscard]] std::optional<Exit> wait(milliseconds deadline = kGenerous);

 private:
  TemporaryDirectory directory_;
  std::filesystem::path output_;
  std::filesystem::path errors_;
  pid_t pid_{-1};
  std::optional<Exit> exit_;
};

}  // namespace yolod::tests
