// How long a model's workers take for a batch, by its size: measured while they serve, on the front-end's own clock.
//
// Moving averages, so that a change of the machine's speed is known after some ten batches. Front-end only, its one
// thread.
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

  // What the model's warm-up took for such a batch, as its worker says: the measure until one has been served. Later
  // on, the average ratio of what was served to what was expected of it, 0.05 to 20, corrects the sizes that have not
  // been.
  void expect(std::size_t size, Duration took);
  // Served: a batch of `size` >= 1 requests kept its worker busy for so long.
  void record(std::size_t size, Duration took);
  void clear();

  // What a batch of that size would take: as measured, else from the nearest sizes that were, on a straight line.
  // Nothing as long as none was.
  [[nodiscard]] std::optional<Duration> of_batch(std::size_t size) const;
  // One worker's time for one request, in batches as they were lately. Nothing before the first.
  [[nodiscard]] std::optional<Duration> of_request() const;

 private:
  struct Entry {
    double expected{0};  // seconds; 0: not known
    double measured{0};
  };
  // Seconds, 0: not known.
  [[nodiscard]] double known(std::size_t size) const;
  [[nodiscard]] Entry& entry(std::size_t size);

  std::vector<Entry> entries_;  // by size
  double correction_{1};
  double request_seconds_{0};
};

}  // namespace yolod::app::schedule
