// The clock of the front-end's deadlines: common::Clock minus the times during which this process did not run (a
// paused container, a SIGSTOP, a debugger, a machine without a free processor). In such a time workers and clients
// could not act, or the front-end did not see that they acted, so it must not count against their deadlines.
//
// The clock detects such times from its readings. The front-end reads it at least every kPeriod; a gap that is far
// larger is lost time. Every reading checks this, so no event handler that runs after a pause sees a deadline that
// expired only because of the pause.
//
// Read deadlines and durations from this clock. Timers need the time of common::Clock; real_time() converts. A timer
// that was set before time was lost ends early, so its handler must check this clock again.
#pragma once

#include <chrono>

#include "common/clock.hpp"

namespace yolod::common {

// Computes how much time was lost, from readings of a clock. It is a pure state machine.
class LostTime {
 public:
  // The owner promises that a running process reads the clock at least this often.
  static constexpr std::chrono::milliseconds kPeriod{100};
  // A larger gap counts as lost in full.
  static constexpr std::chrono::milliseconds kLongestGap{600};

  // REQUIRES: `now` is not earlier than in the call before.
  void read(Clock::time_point now) {
    if (last_ != Clock::time_point{} && now - last_ > kLongestGap) total_ += now - last_;
    last_ = now;
  }
  [[nodiscard]] Clock::duration total() const { return total_; }

 private:
  Clock::time_point last_{};  // the epoch: no reading yet
  Clock::duration total_{0};
};

// The clock of the one thread of a process that reads the clock at least every LostTime::kPeriod. Its times have
// Clock's type; in such a process every deadline is on this clock.
class AwakeClock {
 public:
  using duration = Clock::duration;
  using time_point = Clock::time_point;

  [[nodiscard]] static time_point now() {
    const auto real = Clock::now();
    lost_.read(real);
    return real - lost_.total() + skipped_;
  }
  // Returns when a timer that is to end at `awake` must end if no more time is lost. Returns the far future
  // unchanged.
  [[nodiscard]] static time_point real_time(time_point awake) {
    if (awake > time_point::max() - lost_.total()) return time_point::max();
    return awake + lost_.total() - skipped_;
  }
  // The time lost since the process began.
  [[nodiscard]] static duration lost() { return lost_.total(); }

  // For tests: lets this much time pass at once. Timers that are already set do not notice it.
  static void skip(duration time) { skipped_ += time; }

 private:
  inline static LostTime lost_;
  inline static duration skipped_{0};
};

}  // namespace yolod::common
