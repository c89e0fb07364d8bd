// Decides the limits of one model's batches from its config, the result of its warm-up, and the measured times of
// recent batches.
//
// The dispatcher owns it and uses it on the front-end's only thread.
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

  // Uses a new config and forgets all measurements.
  void use(const common::BatchConfig& config);
  // Uses the sizes and times of a worker's description. It is not trusted: it can change sizes and times only within
  // bounds.
  void worker_ready(const common::ModelDescription& description);

  // Call arrived() for each request, and answered() for each answer with the time since its admission.
  void arrived(common::Clock::time_point now);
  void answered(common::Clock::duration since_admission);
  // Records that a batch with this many predicted requests kept its worker busy for this time.
  void served(std::size_t predicted, common::Clock::duration took) { times_.record(predicted, took); }
  // Records the decode time of a request's content, as the worker reports it.
  void decoded(std::uint32_t decode_us);

  // Returns the present limits. They come from the config, or with batch.target_p99 from the tuner for this many
  // serving workers. The reference is valid until the next call.
  [[nodiscard]] const BatchLimits& limits(std::size_t serving_workers) const;
  // Returns how long before the end of its present batch a worker gets the next one. This time covers the wake-up of
  // two processes and, if the worker decodes while it computes, the decoding of the batch.
  [[nodiscard]] common::Clock::duration handover_lead(std::size_t batch_size, bool decodes_ahead) const;
  [[nodiscard]] const ServiceTimes& times() const { return times_; }

 private:
  void set_limits(std::uint32_t found);

  const common::BatchConfig* config_{nullptr};
  ServiceTimes times_;
  double decode_seconds_{0};            // the average for one request
  std::optional<std::uint32_t> found_;  // the result of the generation's first worker
  BatchLimits limits_;                  // from the config and found_
  mutable BatchLimits tuned_;           // limits_ as the tuner reduced them; kept for its memory
  std::optional<BatchTuner> tuner_;     // exists with batch.target_p99
};

}  // namespace yolod::app::schedule
