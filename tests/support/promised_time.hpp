// Has the bounds of the times that the server promises.
#pragma once

#include <cstdlib>

#include "tests/support/deadline.hpp"

namespace yolod::tests {

// Returns whether YOLOD_TEST_LONG is set. Then tests are thorough, and no other test uses the processors.
[[nodiscard]] inline bool is_long_run() { return std::getenv("YOLOD_TEST_LONG") != nullptr; }

// Returns the bound for a time that the server promises. Other tests may use the processors at the same time, so the
// bound is ten times as long except in a long run.
[[nodiscard]] inline milliseconds promised(milliseconds time) {
  constexpr int kShared = 10;
  return scaled(is_long_run() ? time : kShared * time);
}

}  // namespace yolod::tests
