// A short wait is spun through where a core is to spare: the wake-up of a sleeper, on a processor that has gone idle,
// takes tens of microseconds, as long as everything else that is done for a small request.
//
// It spins only while the waits before this one were short. Between two looks it offers its core to others: when that
// takes long, somebody needed it, and for a time there is no spinning at all. One thread.
#pragma once

#include "common/clock.hpp"

namespace yolod::common {

class BriefSpin {
 public:
  static constexpr std::chrono::microseconds kLongest{100};
  // A core that others want is left to them.
  static constexpr std::chrono::milliseconds kRespite{100};

  // `cores`: how many this process may use. On one there is nobody to spin for.
  explicit BriefSpin(std::uint32_t cores) : allowed_(cores > 1) {}

  // A wait begins.
  void begin(Clock::time_point now);
  // It is over: what was waited for has come, after a spin or after a sleep.
  void end(Clock::time_point now);

  // Nothing has come: whether to look again, rather than to sleep.
  [[nodiscard]] bool goes_on(Clock::time_point now);
  // The same by the clock, and offers the core.
  [[nodiscard]] bool look_again();
  // To give up the core and have it again took so long.
  void offered(Clock::time_point now, Clock::duration took) {
    if (took > kFelt) rests_until_ = now + kRespite;
  }

 private:
  // With the wake-ups of both sides: much of it is what a spin saves.
  static constexpr std::chrono::microseconds kStillShort{250};
  // More than another's part of a small request, less than one's part of a large.
  static constexpr std::chrono::microseconds kFelt{100};
  static constexpr std::uint32_t kMostLeftOut = 64;

  bool allowed_;
  bool last_was_short_{false};
  bool spun_{false};     // in this wait
  bool in_vain_{false};  // and nothing came
  // Waits that are slept through at once: after each spin in vain twice as many.
  std::uint32_t to_leave_out_{0};
  std::uint32_t next_left_out_{1};
  Clock::time_point began_;
  Clock::time_point rests_until_;
};

}  // namespace yolod::common
