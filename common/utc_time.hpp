// Writes times for logs. Pure function; any thread may call it.
#pragma once

#include <chrono>
#include <string>

namespace yolod::common {

// Returns the time as RFC 3339, in UTC with milliseconds: "2026-01-02T03:04:05.678Z".
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point time);

}  // namespace yolod::common
