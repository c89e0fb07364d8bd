#include "tools/progress/progress_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace yolod::tools {
namespace {

constexpr const char* kWipe = "\r\033[K";

// Read the size each time, because the user may resize the window.
std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

std::string_view cut_to(std::string_view text, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_character = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (begins_character && ++characters > columns) return text.substr(0, i);
  }
  return text;
}

ProgressLine::ProgressLine(Elsewhere elsewhere) : terminal_(::isatty(STDERR_FILENO) == 1), elsewhere_(elsewhere) {}

ProgressLine::~ProgressLine() {
  if (unwiped_) std::fputs(kWipe, stderr);
}

bool ProgressLine::due() const {
  if (!terminal_ && elsewhere_ == Elsewhere::kNothing) return false;
  constexpr std::chrono::milliseconds kInPlace{100};
  constexpr std::chrono::milliseconds kLineByLine{10'000};
  return common::Clock::now() - shown_ >= (terminal_ ? kInPlace : kLineByLine);
}

void ProgressLine::show(std::string_view text) {
  if (!terminal_ && elsewhere_ == Elsewhere::kNothing) return;
  shown_ = common::Clock::now();
  // Leave the last column free, because a cursor behind it would wrap on some terminals.
  if (terminal_) text = cut_to(text, terminal_columns() - 1);
  const auto length = static_cast<int>(text.size());
  if (terminal_) {
    std::fprintf(stderr, "%s%.*s", kWipe, length, text.data());
  } else {
    std::fprintf(stderr, "%.*s\n", length, text.data());
  }
  unwiped_ = terminal_;
}

void ProgressLine::keep(std::string_view text) {
  std::fprintf(stderr, "%s%.*s\n", terminal_ ? kWipe : "", static_cast<int>(text.size()), text.data());
  unwiped_ = false;
}

}  // namespace yolod::tools
