// Chooses the batch size for `batch.max_size: auto`: the largest size that pays. A larger batch occupies more memory
// in each worker permanently, so a size that hardly makes a picture cheaper is not worth it. The caller passes the
// clock and the timing function.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"

namespace yolod::worker {

struct TimedBatch {
  std::uint32_t size{0};
  model::Model::BatchTime time;  // the shortest of the rounds
};

struct BatchSizeChoice {
  std::uint32_t size{1};
  std::vector<TimedBatch> timed;  // rising; the measurements behind the choice
  std::string stopped;            // why no larger size was timed; empty if all sizes were timed
};

struct BatchClock {
  std::function<common::Outcome<model::Model::BatchTime>(std::uint32_t size)> time_batch;
  std::function<common::Clock::time_point()> now;
};

// Returns the sizes to try, rising: 1, then the preferred sizes, or 2, 4 and so on if there are none, up to the
// config's limit.
[[nodiscard]] std::vector<std::uint32_t> sizes_to_try(const common::BatchConfig& batch);

// Times batches of each of `sizes`, in turn with the best size so far, and takes a size that makes a picture at least
// 5 % cheaper. Stops after two sizes in a row that are not cheaper, at a size that fails, and before a size that
// cannot be timed within `budget`; it chooses none of these. REQUIRES: the first size is 1, and a batch of one has
// run before.
[[nodiscard]] BatchSizeChoice choose_batch_size(const std::vector<std::uint32_t>& sizes,
                                                std::chrono::microseconds budget, const BatchClock& clock);

// Returns the batch sizes that the front-end will form (app/schedule/batch_policy), rising from 1. A worker warms up
// as many of them as it has time for. `found` is the size that choose_batch_size() returned, or 0 if it was not
// called.
[[nodiscard]] std::vector<std::size_t> sizes_to_serve(const common::BatchConfig& batch, std::uint32_t found);

// Returns a line for the log: "batches of up to 2 inputs: 1 takes 50.1 ms, 2 take 90.3 ms, 4 take 200.0 ms".
[[nodiscard]] std::string describe(const BatchSizeChoice& choice);

}  // namespace yolod::worker
