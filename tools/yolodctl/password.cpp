#include "tools/yolodctl/password.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>

namespace yolod::tools {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// Turns the echo of the terminal off for the life of the object.
class NoEcho {
 public:
  NoEcho() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_{};
  bool is_terminal_;
};

// Reads byte by byte, so that no more than the line is read.
Outcome<std::string> read_line() {
  constexpr std::size_t kLongest = 512;
  std::string line;
  for (;;) {
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return common::last_system_error("cannot read the password");
    if (count == 0 || byte == '\n') return line;
    if (line.size() == kLongest) return Error{ErrorCode::kBadRequest, "the password is longer than 512 bytes"};
    line.push_back(byte);
  }
}

}  // namespace

Outcome<std::string> read_new_password(std::string_view prompt) {
  if (isatty(STDIN_FILENO) == 0) {
    auto line = read_line();
    if (line && line->empty()) {
      return Error{ErrorCode::kBadRequest, "standard input has no password; give one line, or use --generate"};
    }
    return line;
  }
  const NoEcho no_echo;
  std::fprintf(stderr, "%.*s: ", static_cast<int>(prompt.size()), prompt.data());
  auto first = read_line();
  if (!first) return first;
  std::fprintf(stderr, "Repeat the password: ");
  const auto second = read_line();
  if (!second) return second;
  if (*first != *second) return Error{ErrorCode::kBadRequest, "the two passwords differ"};
  if (first->empty()) return Error{ErrorCode::kBadRequest, "the password is empty"};
  return first;
}

}  // namespace yolod::tools
