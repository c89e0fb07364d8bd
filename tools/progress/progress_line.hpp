// One line on stderr that says how far long work is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/clock.hpp"

namespace yolod::tools {

// The first `columns` characters of UTF-8 text: what a terminal shows in one line of its own.
[[nodiscard]] std::string_view cut_to(std::string_view text, std::size_t columns);

// On a terminal it is rewritten in place, cut to the terminal's width, and wiped at the end. One thread.
class ProgressLine {
 public:
  // What is shown where stderr is no terminal.
  enum class Elsewhere { kNothing, kLines };

  explicit ProgressLine(Elsewhere elsewhere);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  // Whether it is time for a new one: a tenth of a second after the last on a terminal, ten seconds elsewhere.
  [[nodiscard]] bool due() const;
  void show(std::string_view text);
  // A line that stays, above the one that is rewritten. Also where nothing else is shown.
  void keep(std::string_view text);

 private:
  const bool terminal_;
  const Elsewhere elsewhere_;
  bool unwiped_{false};
  common::Clock::time_point shown_;
};

}  // namespace yolod::tools
