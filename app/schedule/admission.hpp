// Decides which requests are refused at once because they cannot be served in time, and when their clients may try
// again. The functions are pure; any thread may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/clock.hpp"

namespace yolod::app::schedule {

struct Backlog {
  std::size_t ahead{0};  // the number of queued requests that will be served earlier
  bool any_idle{false};  // whether a worker is idle
  // The time until the first worker has finished its requests.
  common::Clock::duration first_free{0};
  std::size_t worker_count{0};                        // the number of serving workers
  std::optional<common::Clock::duration> of_request;  // one worker's time for one request (ServiceTimes)
};

// Returns how long a request would wait in the queue. Returns nothing if that is unknown, because no worker serves
// or none has served a request yet.
[[nodiscard]] std::optional<common::Clock::duration> expected_wait(const Backlog& backlog);

enum class Admission { kAdmit, kQueueFull, kTooLate };

struct Patience {
  common::Clock::duration queue_timeout{0};
  common::Clock::duration until_deadline{0};
};

// Returns kQueueFull if the request would wait longer than queue.timeout, and kTooLate if its deadline would pass
// before its answer. A request that could start at once is always admitted. Otherwise the server would never learn
// that its workers have become faster.
[[nodiscard]] Admission admission(const Backlog& backlog, const Patience& patience);

// Returns `wait` for Retry-After: in whole seconds, 1 to 60.
[[nodiscard]] std::uint32_t retry_after_seconds(common::Clock::duration wait);
// Returns the time until the queued requests have been served.
[[nodiscard]] std::uint32_t retry_after_seconds(const Backlog& backlog);

}  // namespace yolod::app::schedule
