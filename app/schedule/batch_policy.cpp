#include "app/schedule/batch_policy.hpp"

#include <algorithm>

namespace yolod::app::schedule {
namespace {

using common::Clock;

// Returns the largest preferred size that `count` requests fill, or `count` if they fill none.
std::size_t preferred(const BatchLimits& limits, std::size_t count) {
  std::size_t best = 0;
  for (const std::size_t size : limits.preferred_sizes) {
    if (size <= count) best = size;
  }
  return best == 0 ? count : best;
}

// Returns when a wait for max_wait ends.
Clock::time_point wait_end(const BatchLimits& limits, const WaitingRequests& waiting) {
  return std::min(waiting.oldest + limits.max_wait, waiting.latest_start);
}

}  // namespace

BatchLimits batch_limits(const common::BatchConfig& config, std::uint32_t found) {
  BatchLimits limits{
      config.size_limit(), config.max_wait, {config.preferred_sizes.begin(), config.preferred_sizes.end()}};
  if (config.max_size != 0 || found == 0) return limits;
  limits.max_size = std::min<std::size_t>(found, limits.max_size);
  std::erase_if(limits.preferred_sizes, [&](std::size_t size) { return size > limits.max_size; });
  if (config.preferred_sizes.empty()) {
    const auto doubling = common::doubling_sizes(static_cast<std::uint32_t>(limits.max_size));
    limits.preferred_sizes.assign(doubling.begin(), doubling.end());
  }
  return limits;
}

BatchDecision next_batch(const BatchLimits& limits, const WaitingRequests& waiting, const Workers& workers,
                         Clock::time_point now) {
  if (waiting.count == 0) return {};
  const bool full = waiting.count >= limits.max_size;
  if (!full && limits.max_wait > Clock::duration::zero() && now < wait_end(limits, waiting)) {
    // The end of a worker's batch is an event too.
    return {BatchGoesTo::kNone, 0, wait_end(limits, waiting)};
  }
  if (workers.idle_count != 0) {
    // Requests that waited for a batch are not divided among several workers.
    const bool waited = limits.max_wait > Clock::duration::zero();
    const std::size_t share = waited ? waiting.count : (waiting.count + workers.idle_count - 1) / workers.idle_count;
    return {BatchGoesTo::kIdleWorker, preferred(limits, std::min(share, limits.max_size)), std::nullopt};
  }
  if (!workers.handover) return {};
  if (now < *workers.handover) return {BatchGoesTo::kNone, 0, workers.handover};
  return {BatchGoesTo::kBusyWorker, preferred(limits, std::min(waiting.count, limits.max_size)), std::nullopt};
}

}  // namespace yolod::app::schedule
