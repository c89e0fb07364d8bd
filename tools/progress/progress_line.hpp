// One line that says how far a run is.
#pragma once

#include <string>

#include "common/clock.hpp"

namespace yolod::train {

// On stderr: rewritten in place twice a second on a terminal, else a line every ten seconds. One thread.
class ProgressLine {
 public:
  ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // Ends the line.
  ~ProgressLine();

  // Whether it is time for a new one.
  [[nodiscard]] bool due() const;
  void show(const std::string& text);
  // A line that stays, above the one that is rewritten.
  void keep(const std::string& text);

 private:
  const bool rewritten_;
  bool unended_{false};
  common::Clock::time_point shown_;
};

}  // namespace yolod::train
