#include "tools/train/progress_line.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace yolod::train {

namespace {

constexpr const char* kWipe = "\r\033[K";

}  // namespace

ProgressLine::ProgressLine() : rewritten_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (unended_) std::fputc('\n', stderr);
}

bool ProgressLine::due() const {
  constexpr std::chrono::milliseconds kInPlace{500};
  constexpr std::chrono::milliseconds kLineByLine{10'000};
  return common::Clock::now() - shown_ >= (rewritten_ ? kInPlace : kLineByLine);
}

void ProgressLine::show(const std::string& text) {
  shown_ = common::Clock::now();
  std::fprintf(stderr, rewritten_ ? "%s%s" : "%s%s\n", rewritten_ ? kWipe : "", text.c_str());
  unended_ = rewritten_;
}

void ProgressLine::keep(const std::string& text) {
  std::fprintf(stderr, "%s%s\n", rewritten_ ? kWipe : "", text.c_str());
  unended_ = false;
}

}  // namespace yolod::train
