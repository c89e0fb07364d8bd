#include "app/process/respawning.hpp"

#include <algorithm>

#include "common/awake_clock.hpp"
#include "common/log.hpp"

namespace yolod::app::process {

using common::AwakeClock;
using common::Clock;
using std::chrono::milliseconds;

namespace {

void say_replaced(const std::string& what, Clock::duration wait) {
  const auto ms = std::chrono::duration_cast<milliseconds>(wait).count();
  if (ms == 0) {
    common::log_warning("{}; replacing it now", what);
  } else {
    common::log_warning("{}; replacing it in {} ms", what, ms);
  }
}

}  // namespace

bool Respawning::gives_up(DeathCause cause, const std::string& reason) {
  if (!is_candidate_ && (model_was_ready_ || cause != DeathCause::kBadModel)) return false;
  is_on_ = false;
  gave_up_(reason);
  return true;
}

std::optional<Clock::time_point> Respawning::next_start(RespawnPolicy& policy, DeathCause cause,
                                                        const std::string& what, milliseconds least_wait) {
  if (!is_on_) return std::nullopt;
  const auto now = AwakeClock::now();
  const double jitter = std::uniform_real_distribution<>(0, 1)(jitter_);
  const auto decision = policy.on_death(cause, model_was_ready_ || model_has_served_, now, jitter);
  if (decision.action == RespawnPolicy::Action::kGiveUp) {
    is_on_ = false;
    gave_up_(fmt::format("{} starts have failed, and none has succeeded; the last: {}", RespawnPolicy::kMostFailedLoads,
                         what));
    return std::nullopt;
  }
  const auto at = std::max(rate_.reserve(now), now + std::max(decision.delay, least_wait));
  say_replaced(what, at - now);
  return at;
}

}  // namespace yolod::app::process
