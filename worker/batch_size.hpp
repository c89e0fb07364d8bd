// Which batch size `batch.max_size: auto` comes to: the largest that pays. A batch keeps memory by its size, in each
// worker and for good, so a size that makes a picture hardly cheaper is not worth it. The timing is passed in.
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
  model::Model::BatchTime time;  // the least of the rounds
};

struct BatchSizeChoice {
  std::uint32_t size{1};
  std::vector<TimedBatch> timed;  // rising; what the choice was made of
  std::string stopped;            // why no larger size was timed; empty: there was none
};

struct BatchClock {
  std::function<common::Outcome<model::Model::BatchTime>(std::uint32_t size)> time_batch;
  std::function<common::Clock::time_point()> now;
};

// The sizes that are tried: 1, and the preferred ones, else 2, 4 and so on, up to the config's limit. Rising.
[[nodiscard]] std::vector<std::uint32_t> sizes_to_try(const common::BatchConfig& batch);

// Times batches of each of `sizes`, the first of which is 1, beside the best size so far, and takes a size that makes a
// picture at least 5 % cheaper than the best one before it. Ends after two sizes in a row that do not, at a size that
// fails, and before one that could not be timed within `budget`: none of those is chosen. Batches of one have run
// before.
[[nodiscard]] BatchSizeChoice choose_batch_size(const std::vector<std::uint32_t>& sizes,
                                                std::chrono::microseconds budget, const BatchClock& clock);

// The sizes of the batches that the front-end will make (app/schedule/batch_policy), of which a worker warms up as many
// as it has time for. `found`: what choose_batch_size() found; 0: nobody asked it. Rising, from 1.
[[nodiscard]] std::vector<std::size_t> sizes_to_serve(const common::BatchConfig& batch, std::uint32_t found);

// One line for the log: "batches of up to 2: 1 in 50.1 ms, 2 in 90.3 ms, 4 in 200.0 ms".
[[nodiscard]] std::string describe(const BatchSizeChoice& choice);

}  // namespace yolod::worker
