// How many of the waiting requests an idle worker gets: a pure function of what waits and who is idle.
#pragma once

#include <algorithm>
#include <cstddef>

namespace yolod::app {

// No delay is ever added: a batch is what waited while the workers were busy, shared evenly among the idle ones.
// 0 if nothing waits or nobody is idle.
[[nodiscard]] constexpr std::size_t next_batch_size(std::size_t waiting_count, std::size_t idle_worker_count,
                                                    std::size_t max_batch_size) {
  if (waiting_count == 0 || idle_worker_count == 0) return 0;
  return std::min(max_batch_size, (waiting_count + idle_worker_count - 1) / idle_worker_count);
}

}  // namespace yolod::app
