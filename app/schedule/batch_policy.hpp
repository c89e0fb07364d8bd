// When a batch goes, how large, and to whom: a pure function of what waits, of the workers, and of now.
//
// - No delay is added unless `max_wait` says so: a batch is what waited while the workers were busy, shared evenly
//   among those that are idle.
// - With `max_wait`, what waits goes once its oldest has waited so long; earlier, if it fills a batch, or if its most
//   urgent could not be answered in time otherwise.
// - A worker that is busy gets its next batch shortly before it is done with the one at hand, so that it never idles
//   for a wake-up; and not earlier, so that what is urgent, and another worker that is done sooner, find it still here.
// - Where there are preferred sizes, a batch that is not full has the largest of them that what waits can fill; what is
//   left over goes next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/clock.hpp"
#include "common/config/model_config.hpp"

namespace yolod::app::schedule {

struct BatchLimits {
  std::size_t max_size{1};
  common::Clock::duration max_wait{0};
  std::vector<std::size_t> preferred_sizes;  // rising; those above max_size do not count
};

// What the config allows. `found`: what the model's warm-up found to pay (common::ModelDescription::batch_size, which a
// worker wrote and which is not trusted); 0: nothing. With batch.max_size: auto, batches then have a power of two of
// requests, unless the config prefers other sizes: so few sizes keep memory in each worker.
[[nodiscard]] BatchLimits batch_limits(const common::BatchConfig& config, std::uint32_t found);

// What waits, and could go together.
struct WaitingRequests {
  std::size_t count{0};
  common::Clock::time_point oldest;  // since when it waits
  // When the most urgent must go to be answered in time; a wait never lasts longer.
  common::Clock::time_point latest_start{common::Clock::time_point::max()};
};

struct Workers {
  std::size_t idle_count{0};
  // Of those that are busy with nothing waiting behind: when the first of them should get its next batch. Nothing:
  // there is none, or nobody knows how long it will take.
  std::optional<common::Clock::time_point> handover;
};

enum class BatchGoesTo { kNobody, kIdleWorker, kBusyWorker };

struct BatchDecision {
  BatchGoesTo to{BatchGoesTo::kNobody};
  std::size_t size{0};
  // With kNobody: when to ask again, should nothing happen before. Nothing: only an event changes the answer.
  std::optional<common::Clock::time_point> ask_again;

  friend bool operator==(const BatchDecision&, const BatchDecision&) = default;
};

[[nodiscard]] BatchDecision next_batch(const BatchLimits& limits, const WaitingRequests& waiting,
                                       const Workers& workers, common::Clock::time_point now);

}  // namespace yolod::app::schedule
