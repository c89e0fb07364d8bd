// The monotonic clock on which the whole project measures deadlines and durations.
#pragma once

#include <chrono>
#include <cstdint>

namespace yolod::common {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Returns the whole microseconds from `from` to `to`, at least 0 and at most UINT32_MAX (71 minutes).
[[nodiscard]] inline std::uint32_t elapsed_us(Clock::time_point from, Clock::time_point to) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
  if (us < 0) return 0;
  return us > static_cast<std::int64_t>(UINT32_MAX) ? UINT32_MAX : static_cast<std::uint32_t>(us);
}

[[nodiscard]] inline double in_seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}
[[nodiscard]] inline Clock::duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace yolod::common
