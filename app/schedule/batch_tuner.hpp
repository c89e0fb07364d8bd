// batch.target_p99: instead of a size and a wait, the config says how long an answer may take; these two are chosen so
// that it holds, for as much work done as it allows.
//
// What a batch takes is known by size (ServiceTimes). A request that comes at the worst moment waits for the batch at
// hand, for its own to fill, and for its own to be done; that sum is to stay below the target. What is measured of the
// answers corrects it: where they were late all the same (other processes, the network, the disk), less is taken for
// granted.
//
// Front-end only, its one thread.
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

// `sizes`: those that are allowed, rising. `budget`: what waiting, and service, may take in all. `arrival_interval`:
// between two requests, on average; nothing before it is known, and then nothing is waited for. A size with which
// `workers` would fall behind what comes gives way to a larger one that is faster a request, in time or not. Pure.
[[nodiscard]] BatchChoice choose_batch(const ServiceTimes& times, const std::vector<std::size_t>& sizes,
                                       common::Clock::duration budget,
                                       std::optional<common::Clock::duration> arrival_interval, std::size_t workers);

class BatchTuner {
 public:
  using Duration = common::Clock::duration;
  using TimePoint = common::Clock::time_point;

  // `target` > 0.
  BatchTuner(Duration target, std::vector<std::size_t> sizes);

  void arrived(TimePoint now);
  // An answer that took so long, from its admission on.
  void answered(Duration took);
  [[nodiscard]] BatchChoice choose(const ServiceTimes& times, std::size_t workers) const;
  // The part of the target that is taken for granted, 0.1 to 1.
  [[nodiscard]] double granted() const { return granted_; }

 private:
  Duration target_;
  std::vector<std::size_t> sizes_;
  std::optional<TimePoint> last_arrival_;
  double interval_seconds_{0};
  double granted_{1};
  std::vector<Duration> window_;  // of answers since granted_ was last looked at
};

}  // namespace yolod::app::schedule
