// How long the handlers of an event loop run: while one does, nobody else is served.
//
// Asio is told by tools/cmake/asio_turns.hpp to call begin() and end() around every handler. One object for the
// process: only its main thread may have an event loop that is watched.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace yolod::common {

class LoopTurns {
 public:
  // Turns that took longer than these are counted.
  static constexpr std::array<std::uint64_t, 6> kLongerThanUs{1'000, 2'000, 5'000, 10'000, 50'000, 200'000};

  // From now on. CLOCK_MONOTONIC costs nothing that could be measured, and counts also what other programs take of the
  // processor. CLOCK_THREAD_CPUTIME_ID counts the thread alone, for tests on a machine that is shared, and is a system
  // call.
  void watch(clockid_t clock) {
    clock_ = clock;
    watching_ = true;
  }

  void begin() {
    if (watching_ && depth_++ == 0) began_us_ = now_us();
  }
  void end() {
    if (watching_ && --depth_ == 0) ended(now_us() - began_us_);
  }

  [[nodiscard]] std::uint64_t longest_us() const { return longest_us_; }
  // By kLongerThanUs.
  [[nodiscard]] const std::array<std::uint64_t, kLongerThanUs.size()>& long_turns() const { return long_turns_; }

 private:
  [[nodiscard]] std::uint64_t now_us() const {
    timespec now{};
    clock_gettime(clock_, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
  }
  void ended(std::uint64_t us) {
    if (us <= longest_us_ && us <= kLongerThanUs.front()) return;
    if (us > longest_us_) longest_us_ = us;
    for (std::size_t i = 0; i < kLongerThanUs.size() && us > kLongerThanUs[i]; ++i) ++long_turns_[i];
  }

  bool watching_{false};
  int depth_{0};
  clockid_t clock_{CLOCK_MONOTONIC};
  std::uint64_t began_us_{0};
  std::uint64_t longest_us_{0};
  std::array<std::uint64_t, kLongerThanUs.size()> long_turns_{};
};

inline constinit LoopTurns loop_turns;

}  // namespace yolod::common
