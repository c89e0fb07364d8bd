#include "app/schedule/batch_sizing.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace yolod::app::schedule {
namespace {

// The tuner chooses among the sizes that batches may have.
std::optional<BatchTuner> tuner_for(const common::BatchConfig& batch, const BatchLimits& limits) {
  if (batch.target_p99.count() == 0) return std::nullopt;
  std::vector<std::size_t> sizes = limits.preferred_sizes;
  if (sizes.empty()) {
    for (std::size_t size = 1; size <= limits.max_size; ++size) sizes.push_back(size);
  }
  return BatchTuner(batch.target_p99, std::move(sizes));
}

}  // namespace

void BatchSizing::use(const common::BatchConfig& config) {
  config_ = &config;
  times_.clear();
  decode_seconds_ = 0;
  found_.reset();
  set_limits(0);
}

void BatchSizing::set_limits(std::uint32_t found) {
  limits_ = batch_limits(*config_, found);
  tuned_ = limits_;
  tuner_ = tuner_for(*config_, limits_);
}

void BatchSizing::worker_ready(const common::ModelDescription& description) {
  if (!found_) {  // the result of the generation's first worker applies to its later workers too
    found_ = description.batch_size;
    if (*found_ != 0) set_limits(*found_);
  }
  for (const auto& [size, us] : description.batch_times) times_.expect(size, std::chrono::microseconds(us));
}

void BatchSizing::arrived(common::Clock::time_point now) {
  if (tuner_) tuner_->arrived(now);
}

void BatchSizing::answered(common::Clock::duration since_admission) {
  if (tuner_) tuner_->answered(since_admission);
}

void BatchSizing::decoded(std::uint32_t decode_us) {
  constexpr double kWeight = 0.05;
  constexpr std::uint32_t kMost = 1'000'000;  // bounds a value that the worker reports
  decode_seconds_ += kWeight * (1e-6 * std::min(decode_us, kMost) - decode_seconds_);
}

const BatchLimits& BatchSizing::limits(std::size_t serving_workers) const {
  if (!tuner_) return limits_;
  const auto choice = tuner_->choose(times_, serving_workers);
  tuned_.max_size = std::min(limits_.max_size, choice.size);
  tuned_.max_wait = choice.wait;
  return tuned_;
}

common::Clock::duration BatchSizing::handover_lead(std::size_t batch_size, bool decodes_ahead) const {
  constexpr std::chrono::microseconds kWakeUp{500};
  if (!decodes_ahead) return kWakeUp;
  constexpr double kMargin = 1.25;
  return kWakeUp + common::from_seconds(kMargin * decode_seconds_ * static_cast<double>(batch_size));
}

}  // namespace yolod::app::schedule
