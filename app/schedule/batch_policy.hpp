// Decides when a batch starts, how large it is, and which worker gets it. The functions are pure.
//
// - By default no request waits for a batch to fill. The requests that arrived while the workers were busy form the
//   next batches, in equal shares for the idle workers.
// - With `max_wait`, a batch starts when its oldest request has waited for this time. The batch starts earlier if the
//   requests fill a batch, or if the most urgent request would otherwise be answered too late.
// - A busy worker gets its next batch shortly before it has finished the present batch, so that it need not wait for
//   a wake-up. It does not get it earlier, so that urgent requests can still join the batch, and a worker that
//   finishes sooner can still get it.
// - If there are preferred sizes, a batch that is not full has the largest of them that the waiting requests can
//   fill. The other requests form the next batch.
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
  std::vector<std::size_t> preferred_sizes;  // in rising order; sizes above max_size do not count
};

// Returns the limits of the config. `found` is the batch size that the model's warm-up has found
// (common::ModelDescription::batch_size), or 0 if there is none. A worker wrote it, so it is not trusted. With
// batch.max_size: auto, batches then have a power of two of requests unless the config prefers other sizes. Fewer
// sizes save memory in each worker.
[[nodiscard]] BatchLimits batch_limits(const common::BatchConfig& config, std::uint32_t found);

// The waiting requests that could share a batch.
struct WaitingRequests {
  std::size_t count{0};
  common::Clock::time_point oldest;  // when the oldest request began to wait
  // The most urgent request must start at this time to be answered in time. No wait lasts longer.
  common::Clock::time_point latest_start{common::Clock::time_point::max()};
};

struct Workers {
  std::size_t idle_count{0};
  // The first busy worker with one batch should get its next batch at this time. It is empty if there is no such
  // worker or its time is unknown.
  std::optional<common::Clock::time_point> handover;
};

enum class BatchGoesTo { kNone, kIdleWorker, kBusyWorker };

struct BatchDecision {
  BatchGoesTo to{BatchGoesTo::kNone};
  std::size_t size{0};
  // With kNone, call next_batch() again at this time if no event happens before. If it is empty, only an event
  // changes the decision.
  std::optional<common::Clock::time_point> ask_again;

  friend bool operator==(const BatchDecision&, const BatchDecision&) = default;
};

[[nodiscard]] BatchDecision next_batch(const BatchLimits& limits, const WaitingRequests& waiting,
                                       const Workers& workers, common::Clock::time_point now);

}  // namespace yolod::app::schedule
