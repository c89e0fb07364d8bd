// Who is told at once that it will not be served in time, and when it may come again: pure functions of how much stands
// before a request and of how fast that is served.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/clock.hpp"

namespace yolod::app::schedule {

struct Backlog {
  std::size_t ahead{0};  // requests that will be served before this one, without those that workers have
  bool any_idle{false};  // a worker has nothing to do
  // Until the first worker is done with what it has.
  common::Clock::duration first_free{0};
  std::size_t worker_count{0};                        // that serve
  std::optional<common::Clock::duration> of_request;  // one worker's time for one (ServiceTimes)
};

// How long a request would stand in the queue. Nothing: nobody knows, since no worker serves or none has served yet.
[[nodiscard]] std::optional<common::Clock::duration> expected_wait(const Backlog& backlog);

enum class Admission { kAdmit, kQueueFull, kTooLate };

struct Patience {
  common::Clock::duration queue_timeout{0};
  common::Clock::duration until_deadline{0};
};

// kQueueFull: it would wait longer than queue.timeout, whatever else; kTooLate: its deadline would pass before its
// answer. Who could begin at once is always admitted: only so is it ever found out that the workers have become faster.
[[nodiscard]] Admission admission(const Backlog& backlog, const Patience& patience);

// For Retry-After: in whole seconds, at least 1 and at most 60.
[[nodiscard]] std::uint32_t retry_after_seconds(common::Clock::duration wait);
// Until what stands in the queue has been served.
[[nodiscard]] std::uint32_t retry_after_seconds(const Backlog& backlog);

}  // namespace yolod::app::schedule
