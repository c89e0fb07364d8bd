// The clock that the front-end's deadlines are on: common::Clock, less the times during which this process did not run
// (a paused container, a SIGSTOP, a debugger, a machine that gave it no processor). What others should have done in
// such a time they could not do, or did and nobody looked; so it counts against nobody.
//
// It finds out by itself. Each reading of the clock is compared with the one before; the front-end reads it many times
// in a busy second, and at least every kPeriod. A gap that is far larger is time that was lost. So whichever event
// handler runs first after a thaw, no handler sees a time at which deadlines have passed that were only slept through.
//
// Deadlines and durations are read from this clock; timers need Clock's own time, for which there is real_time(). A
// timer that was set before time was lost ends early: whoever waits for it looks at this clock again.
#pragma once

#include <chrono>

#include "common/clock.hpp"

namespace yolod::common {

// How much time was lost, from readings of a clock. A pure state machine.
class LostTime {
 public:
  // The most that lies between two readings of a process that runs, by its owner's promise.
  static constexpr std::chrono::milliseconds kPeriod{100};
  // A larger gap is lost, all of it.
  static constexpr std::chrono::milliseconds kLongestGap{600};

  // `now` never goes back.
  void read(Clock::time_point now) {
    if (last_ != Clock::time_point{} && now - last_ > kLongestGap) total_ += now - last_;
    last_ = now;
  }
  [[nodiscard]] Clock::duration total() const { return total_; }

 private:
  Clock::time_point last_{};  // the epoch: none yet
  Clock::duration total_{0};
};

// For the one thread of a process that reads it at least every LostTime::kPeriod. Its times are Clock's type: of that
// process each deadline is on this clock.
class AwakeClock {
 public:
  using duration = Clock::duration;
  using time_point = Clock::time_point;

  [[nodiscard]] static time_point now() {
    const auto real = Clock::now();
    lost_.read(real);
    return real - lost_.total() + skipped_;
  }
  // When a timer must end that is to end at `awake`; unless time is lost until then. The far future stays that.
  [[nodiscard]] static time_point real_time(time_point awake) {
    if (awake > time_point::max() - lost_.total()) return time_point::max();
    return awake + lost_.total() - skipped_;
  }
  // Since the process began.
  [[nodiscard]] static duration lost() { return lost_.total(); }

  // For tests: so much time passes now. Timers that are set already do not notice.
  static void skip(duration time) { skipped_ += time; }

 private:
  inline static LostTime lost_;
  inline static duration skipped_{0};
};

}  // namespace yolod::common
