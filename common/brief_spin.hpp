// Spins through a short wait if a core is free. Waking a sleeping thread on an idle processor takes tens of
// microseconds, which is as long as all other work for a small request.
//
// It spins only while the waits before were short. Between two checks it offers its core to other threads; if it gets
// the core back late, another thread needed it, and spinning pauses for kRespite. One thread uses the object.
#pragma once

#include "common/clock.hpp"

namespace yolod::common {

class BriefSpin {
 public:
  static constexpr std::chrono::microseconds kLongest{100};
  // Spinning pauses for this long after another thread needed the core.
  static constexpr std::chrono::milliseconds kRespite{100};

  // `cores` is the number of cores that this process may use. With one core it never spins.
  explicit BriefSpin(std::uint32_t cores) : allowed_(cores > 1) {}

  // Call it when a wait begins.
  void begin(Clock::time_point now);
  // Call it when the wait is over because the event has arrived, after a spin or a sleep.
  void end(Clock::time_point now);

  // Call it when no event has arrived. Returns whether to check again instead of sleeping.
  [[nodiscard]] bool goes_on(Clock::time_point now);
  // As goes_on(), with the current time, and offers the core to other threads.
  [[nodiscard]] bool look_again();
  // Call it with the time that it took to get the core back.
  void offered(Clock::time_point now, Clock::duration took) {
    if (took > kFelt) rests_until_ = now + kRespite;
  }

 private:
  // Includes the wake-ups of both sides, because a spin saves much of that time.
  static constexpr std::chrono::microseconds kStillShort{250};
  // Longer than another process's part of a small request, and shorter than its part of a large request.
  static constexpr std::chrono::microseconds kFelt{100};
  static constexpr std::uint32_t kMostLeftOut = 64;

  bool allowed_;
  bool last_was_short_{false};
  bool spun_{false};     // in the current wait
  bool in_vain_{false};  // the current wait spun, and no event arrived
  // Waits that sleep at once. The number doubles after each spin without an event.
  std::uint32_t to_leave_out_{0};
  std::uint32_t next_left_out_{1};
  Clock::time_point began_;
  Clock::time_point rests_until_;
};

}  // namespace yolod::common
