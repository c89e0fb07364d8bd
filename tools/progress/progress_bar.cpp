#include "tools/yolodctl/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace yolod::tools {

namespace {

constexpr int kCells = 30;
constexpr int kLineLength = 80;

}  // namespace

ProgressBar::ProgressBar() : visible_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (visible_ && drawn_ != common::Clock::time_point{}) std::fprintf(stderr, "\r%*s\r", kLineLength, "");
}

void ProgressBar::draw(double part, std::string_view what) {
  if (!visible_) return;
  constexpr std::chrono::milliseconds kTick{100};
  const auto now = common::Clock::now();
  if (now - drawn_ < kTick) return;
  drawn_ = now;
  part = std::clamp(part, 0.0, 1.0);
  const int full = static_cast<int>(part * kCells);
  const std::string done(static_cast<std::size_t>(full), '#');
  std::fprintf(stderr, "\r[%-*s] %3.0f %%  %.*s ", kCells, done.c_str(), part * 100, static_cast<int>(what.size()),
               what.data());
}

}  // namespace yolod::tools
