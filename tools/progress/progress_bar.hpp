// Shows the progress of work whose total amount is known.
#pragma once

#include <string_view>

#include "tools/progress/progress_line.hpp"

namespace yolod::tools {

// A bar on stderr that is redrawn in place and erased at the end. If stderr is not a terminal, it shows nothing. One
// thread uses it.
class ProgressBar {
 public:
  ProgressBar() : line_(ProgressLine::Elsewhere::kNothing) {}

  // `part` (0 to 1) of the work is done; `what` is shown behind the bar. It may be called often, because it draws at
  // most ten times a second.
  void draw(double part, std::string_view what);

 private:
  ProgressLine line_;
};

}  // namespace yolod::tools
