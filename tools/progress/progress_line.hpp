// Shows the progress of long work as one line on stderr.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/clock.hpp"

namespace yolod::tools {

// Returns the first `columns` characters of UTF-8 text, which fit into a line of the terminal.
[[nodiscard]] std::string_view cut_to(std::string_view text, std::size_t columns);

// On a terminal the line is rewritten in place, cut to the terminal's width, and erased at the end. One thread uses
// it.
class ProgressLine {
 public:
  // The output if stderr is not a terminal.
  enum class Elsewhere { kNothing, kLines };

  explicit ProgressLine(Elsewhere elsewhere);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  // Returns whether a new line is due: on a terminal a tenth of a second after the last line, otherwise ten seconds.
  [[nodiscard]] bool due() const;
  void show(std::string_view text);
  // Prints a line that stays, above the rewritten line; also if nothing else is shown.
  void keep(std::string_view text);

 private:
  const bool terminal_;
  const Elsewhere elsewhere_;
  bool unwiped_{false};
  common::Clock::time_point shown_;
};

}  // namespace yolod::tools
