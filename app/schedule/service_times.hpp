// Estimates how long a model's workers take for a batch of each size. The front-end measures the times with its own
// clock while the workers serve.
//
// The estimates are moving averages, so that a change of the machine's speed is known after about ten batches. The
// object is used on the front-end's only thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "common/clock.hpp"

namespace yolod::app::schedule {

class ServiceTimes {
 public:
  using Duration = common::Clock::duration;

  // Records what a batch of this size took in the model's warm-up, as its worker reports it. It is the estimate
  // until such a batch has been served. Sizes that have not been served are then corrected by the average ratio of
  // measured to expected times, which is kept between 0.05 and 20.
  void expect(std::size_t size, Duration took);
  // Records that a batch of this size kept its worker busy for this time. REQUIRES: size >= 1.
  void record(std::size_t size, Duration took);
  void clear();

  // Returns the time of a batch of this size. If the size is not known, interpolates between the nearest known
  // sizes. Returns nothing if no size is known.
  [[nodiscard]] std::optional<Duration> of_batch(std::size_t size) const;
  // Returns one worker's time for one request, in batches of recent sizes. Returns nothing before the first batch.
  [[nodiscard]] std::optional<Duration> of_request() const;

 private:
  struct Entry {
    double expected{0};  // seconds; 0 if not known
    double measured{0};
  };
  // Returns seconds, or 0 if not known.
  [[nodiscard]] double known(std::size_t size) const;
  [[nodiscard]] Entry& entry(std::size_t size);

  std::vector<Entry> entries_;  // by size
  double correction_{1};
  double request_seconds_{0};
};

}  // namespace yolod::app::schedule
