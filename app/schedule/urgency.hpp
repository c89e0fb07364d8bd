// How soon a request is to be served. Plain values: any thread.
#pragma once

#include <cstdint>

#include "common/clock.hpp"

namespace yolod::app::schedule {

enum class Priority : std::uint8_t { kNormal, kHigh };

// How a request wants to be served: known from its header.
struct Urgency {
  Priority priority{Priority::kNormal};
  // When its client wants no answer any more; the model's request_timeout may come before.
  common::Clock::time_point deadline{common::Clock::time_point::max()};
};

}  // namespace yolod::app::schedule
