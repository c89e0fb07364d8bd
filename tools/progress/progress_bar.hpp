// How far work is of which it is known how much there is, for whoever watches.
#pragma once

#include <string_view>

#include "tools/progress/progress_line.hpp"

namespace yolod::tools {

// A bar on stderr, drawn in place and wiped at the end; nothing at all where stderr is no terminal. One thread.
class ProgressBar {
 public:
  ProgressBar() : line_(ProgressLine::Elsewhere::kNothing) {}

  // `part` of the work, 0 to 1, is done; `what` stands behind the bar. May be called often: it draws ten times a second
  // at most.
  void draw(double part, std::string_view what);

 private:
  ProgressLine line_;
};

}  // namespace yolod::tools
