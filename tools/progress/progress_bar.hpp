// How far long work is, for whoever watches.
#pragma once

#include <chrono>
#include <string_view>

#include "common/clock.hpp"

namespace yolod::tools {

// A bar on stderr, drawn in place and wiped at the end; nothing at all where stderr is no terminal.
class ProgressBar {
 public:
  ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  // `part` of the work, 0 to 1, is done; `what` stands behind the bar. May be called often: it draws ten times a second
  // at most.
  void draw(double part, std::string_view what);

 private:
  bool visible_;
  common::Clock::time_point drawn_;
};

}  // namespace yolod::tools
