// Implements batch.target_p99: the config gives the latency that answers may have, instead of a batch size and a
// wait. The tuner chooses the size and the wait with the most throughput within this target.
//
// The time of a batch of each size is known (ServiceTimes). In the worst case a request waits for the present batch,
// for its own batch to fill, and for its own batch to finish. The sum must stay below the target. The measured
// latencies correct this model: if answers are late for other reasons (other processes, the network, the disk), the
// tuner plans with a smaller part of the target.
//
// The tuner is used on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/schedule/service_times.hpp"
#include "common/clock.hpp"

namespace yolod::app::schedule {

struct BatchChoice {
  std::size_t size{1};
  common::Clock::duration wait{0};
  friend bool operator==(const BatchChoice&, const BatchChoice&) = default;
};

// Chooses a size and a wait. `sizes` are the allowed sizes in rising order. `budget` is the time for waiting and
// service together. `arrival_interval` is the average time between two requests; without it the wait is 0. If
// `workers` would fall behind the arriving requests with a size, a larger size that costs less per request replaces
// it, even if the answers are late. The function is pure.
[[nodiscard]] BatchChoice choose_batch(const ServiceTimes& times, const std::vector<std::size_t>& sizes,
                                       common::Clock::duration budget,
                                       std::optional<common::Clock::duration> arrival_interval, std::size_t workers);

class BatchTuner {
 public:
  using Duration = common::Clock::duration;
  using TimePoint = common::Clock::time_point;

  // REQUIRES: target > 0.
  BatchTuner(Duration target, std::vector<std::size_t> sizes);

  void arrived(TimePoint now);
  // Records an answer that took this long since its admission.
  void answered(Duration took);
  [[nodiscard]] BatchChoice choose(const ServiceTimes& times, std::size_t workers) const;
  // Returns the part of the target that the tuner plans with, 0.1 to 1.
  [[nodiscard]] double granted() const { return granted_; }

 private:
  Duration target_;
  std::vector<std::size_t> sizes_;
  std::optional<TimePoint> last_arrival_;
  double interval_seconds_{0};
  double granted_{1};
  std::vector<Duration> window_;  // the latencies since granted_ was last adjusted
};

}  // namespace yolod::app::schedule
