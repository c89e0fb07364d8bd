#include "app/process/respawn_policy.hpp"

#include <algorithm>

namespace yolod::app::process {

common::Clock::time_point RespawnRate::reserve(common::Clock::time_point now) {
  while (!recent_.empty() && recent_.front() + std::chrono::seconds(1) <= now) recent_.pop_front();
  const auto at =
      recent_.size() < kPerSecond ? now : std::max(now, recent_[recent_.size() - kPerSecond] + std::chrono::seconds(1));
  recent_.push_back(at);
  return at;
}

RespawnPolicy::Decision RespawnPolicy::on_death(DeathCause cause, bool model_was_ready, common::Clock::time_point now,
                                                double jitter) {
  if (ready_ && now - ready_since_ >= kHealthyAfter) failures_ = 0;
  ready_ = false;
  switch (cause) {
    case DeathCause::kExternal: return {};
    case DeathCause::kBadModel:
      if (!model_was_ready) return {Action::kGiveUp, {}};
      break;
    case DeathCause::kOwnFault:
      if (!model_was_ready && failures_ + 1 >= kMostFailedLoads) return {Action::kGiveUp, {}};
      break;
  }
  const std::uint32_t failure = failures_++;
  if (failure == 0) return {};
  const auto doubled = kFirstDelay * (1U << std::min(failure - 1, 10U));
  const auto delay = std::min<std::chrono::milliseconds>(doubled, kLongestDelay);
  return {Action::kRespawn,
          std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * (1 - jitter / 5)))};
}

void RespawnPolicy::on_ready(common::Clock::time_point now) {
  ready_ = true;
  ready_since_ = now;
}

}  // namespace yolod::app::process
