// Defines the urgency of a request. These are plain values; any thread may use them.
#pragma once

#include <cstdint>

#include "common/clock.hpp"

namespace yolod::app::schedule {

enum class Priority : std::uint8_t { kNormal, kHigh };

// The values come from the request's head.
struct Urgency {
  Priority priority{Priority::kNormal};
  // After this time the client does not need an answer. The model's request_timeout may end earlier.
  common::Clock::time_point deadline{common::Clock::time_point::max()};
};

}  // namespace yolod::app::schedule
