// How large batches are and when they go, by what is known of one model: its config, what its warm-up found, and how
// long batches took lately.
//
// Front-end only, its one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "app/schedule/batch_policy.hpp"
#include "app/schedule/batch_tuner.hpp"
#include "app/schedule/service_times.hpp"
#include "common/clock.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"

namespace yolod::app::schedule {

class BatchSizing {
 public:
  explicit BatchSizing(const common::BatchConfig& config) { use(config); }

  // A new config: everything that was measured is forgotten.
  void use(const common::BatchConfig& config);
  // The description comes from a worker, and is not trusted: it moves sizes and times within bounds.
  void worker_ready(const common::ModelDescription& description);

  // A request came; one was answered so long after it was admitted.
  void arrived(common::Clock::time_point now);
  void answered(common::Clock::duration since_admission);
  // A batch of which so many requests were predicted kept its worker busy for so long.
  void served(std::size_t predicted, common::Clock::duration took) { times_.record(predicted, took); }
  // A request's content took so long to decode, as its worker says.
  void decoded(std::uint32_t decode_us);

  // What batches are limited to now: by the config, or by what batch.target_p99 makes of it with so many workers that
  // serve. Valid until the next call.
  [[nodiscard]] const BatchLimits& limits(std::size_t serving_workers) const;
  // A worker's next batch goes so long before the end of the one at hand: the wake-up of two processes, and, where it
  // decodes while it computes, its decoding.
  [[nodiscard]] common::Clock::duration handover_lead(std::size_t batch_size, bool decodes_ahead) const;
  [[nodiscard]] const ServiceTimes& times() const { return times_; }

 private:
  void set_limits(std::uint32_t found);

  const common::BatchConfig* config_{nullptr};
  ServiceTimes times_;
  double decode_seconds_{0};            // of one request, on average
  std::optional<std::uint32_t> found_;  // by the first worker of the generation
  BatchLimits limits_;                  // by the config, and by that
  mutable BatchLimits tuned_;           // the same within what the tuner made of it; kept for its memory
  std::optional<BatchTuner> tuner_;     // of batch.target_p99
};

}  // namespace yolod::app::schedule
