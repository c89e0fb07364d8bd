#include "tools/yolodctl/password.hpp"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>

namespace yolod::tools {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// The settings of the terminal before NoEcho changed them. A signal handler reads them.
termios terminal_before{};

// Turns the echo on again, and then ends the program by the signal. It calls only functions that a handler may call.
void restore_and_end(int signal) {
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
  raise(signal);  // SA_RESETHAND has restored the default action, which follows when the handler returns
}

// Turns the echo of the terminal off for the life of the object. Signals that end the program turn it on again. Only
// one object may exist.
class NoEcho {
 public:
  NoEcho() : is_terminal_(tcgetattr(STDIN_FILENO, &terminal_before) == 0) {
    if (!is_terminal_) return;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      struct sigaction action {};
      action.sa_handler = restore_and_end;
      action.sa_flags = static_cast<int>(SA_RESETHAND);
      sigaction(kSignals[i], nullptr, &actions_before_[i]);
      // The program's caller may want it to ignore the signal, as nohup does.
      if (actions_before_[i].sa_handler == SIG_DFL) sigaction(kSignals[i], &action, nullptr);
    }
    termios quiet = terminal_before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (!is_terminal_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &actions_before_[i], nullptr);
  }

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

  bool is_terminal_;
  std::array<struct sigaction, kSignals.size()> actions_before_{};
};

// Reads byte by byte, so that no more than the line is read. The line may end in CR LF, as in a file of Windows.
Outcome<std::string> read_line() {
  constexpr std::size_t kLongest = 512;
  std::string line;
  for (;;) {
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return common::last_system_error("cannot read the password");
    if (count == 0 || byte == '\n') {
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
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
