// Which batch size `batch.max_size: auto` comes to: the largest that pays. A batch keeps memory by its size, in each
// worker and for good, so a size that makes a picture hardly cheaper is not worth it. The timing is passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::worker {

struct TimedBatch {
  std::uint32_t size{0};
  std::chrono::microseconds took{0};  // the shortest of the rounds
};

struct BatchSizeChoice {
  std::uint32_t size{1};
  std::vector<TimedBatch> timed;  // rising; what the choice was made of
  std::string stopped;            // why no larger size was timed; empty: there was none
};

struct BatchClock {
  std::function<common::Outcome<std::chrono::microseconds>(std::uint32_t size)> time_batch;
  std::function<std::chrono::steady_clock::time_point()> now;
};

// Times batches of 1, 2, 4 and so on up to `limit`, each beside the best size so far, and takes a size that makes a
// picture at least 5 % cheaper than the best one before it. Ends after two sizes in a row that do not, at a size that
// fails, and before one that could not be timed within `budget`: none of those is chosen. Batches of one have run
// before.
[[nodiscard]] BatchSizeChoice choose_batch_size(std::uint32_t limit, std::chrono::microseconds budget,
                                                const BatchClock& clock);

// One line for the log: "batches of up to 2: 1 in 50.1 ms, 2 in 90.3 ms, 4 in 200.0 ms".
[[nodiscard]] std::string describe(const BatchSizeChoice& choice);

}  // namespace yolod::worker
