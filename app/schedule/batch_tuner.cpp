#include "app/schedule/batch_tuner.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace yolod::app::schedule {
namespace {

using Duration = common::Clock::duration;

// Two answers of this many may be late.
constexpr std::size_t kWindow = 200;
// A larger batch must reduce the time of each request to this part to be worth its latency.
constexpr double kWorthwhile = 0.97;

}  // namespace

BatchChoice choose_batch(const ServiceTimes& times, const std::vector<std::size_t>& sizes, Duration budget,
                         std::optional<Duration> arrival_interval, std::size_t workers) {
  BatchChoice choice;
  double best_per_request = 0;
  // A worker that takes more time than this for a request falls behind the arriving requests.
  const double keeps_up = arrival_interval ? common::in_seconds(*arrival_interval) * static_cast<double>(workers)
                                           : std::numeric_limits<double>::infinity();
  for (const std::size_t size : sizes) {
    const auto service = times.of_batch(size);
    // While no time is known, the largest size is only a limit.
    if (!service) return {sizes.empty() ? 1 : sizes.back(), Duration::zero()};
    // The request waits for the present batch and for its own. If the workers fall behind, small batches become late
    // too, so only the rate counts.
    const bool in_time = 2 * *service <= budget || best_per_request > keeps_up;
    const double per_request = common::in_seconds(*service) / static_cast<double>(size);
    if (best_per_request == 0) {  // the smallest size is the first choice
      best_per_request = per_request;
      choice.size = size;
    } else if (in_time && per_request < kWorthwhile * best_per_request) {
      best_per_request = per_request;
      choice.size = size;
    }
  }
  // A wait makes sense only if the batch fills in the time that is left.
  if (choice.size < 2 || !arrival_interval) return choice;
  const Duration left = budget - 2 * *times.of_batch(choice.size);
  const Duration to_fill = *arrival_interval * static_cast<Duration::rep>(choice.size - 1);
  if (to_fill <= left) choice.wait = to_fill;
  return choice;
}

BatchTuner::BatchTuner(Duration target, std::vector<std::size_t> sizes) : target_(target), sizes_(std::move(sizes)) {
  window_.reserve(kWindow);
}

void BatchTuner::arrived(TimePoint now) {
  constexpr double kWeight = 0.05;
  constexpr double kLongest = 1;  // a pause does not predict the next requests
  if (last_arrival_) {
    const double interval = std::min(kLongest, common::in_seconds(now - *last_arrival_));
    interval_seconds_ =
        interval_seconds_ == 0 ? interval : interval_seconds_ + kWeight * (interval - interval_seconds_);
  }
  last_arrival_ = now;
}

void BatchTuner::answered(Duration took) {
  window_.push_back(took);
  if (window_.size() < kWindow) return;
  const auto p99 = window_.begin() + kWindow * 99 / 100 - 1;
  std::nth_element(window_.begin(), p99, window_.end());
  constexpr double kBack = 0.8;
  constexpr double kForward = 1.05;
  constexpr double kEasy = 0.9;  // below this part of the target, the tuner plans with more of it
  constexpr double kLeast = 0.1;
  if (*p99 > target_) {
    granted_ = std::max(kLeast, granted_ * kBack);
  } else if (common::in_seconds(*p99) < kEasy * common::in_seconds(target_)) {
    granted_ = std::min(1.0, granted_ * kForward);
  }
  window_.clear();
}

BatchChoice BatchTuner::choose(const ServiceTimes& times, std::size_t workers) const {
  std::optional<Duration> interval;
  if (interval_seconds_ != 0) interval = common::from_seconds(interval_seconds_);
  return choose_batch(times, sizes_, common::from_seconds(granted_ * common::in_seconds(target_)), interval, workers);
}

}  // namespace yolod::app::schedule
