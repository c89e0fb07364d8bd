#include "app/schedule/admission.hpp"

#include <algorithm>
#include <chrono>

namespace yolod::app::schedule {

using common::Clock;

std::optional<Clock::duration> expected_wait(const Backlog& backlog) {
  if (backlog.worker_count == 0 || !backlog.of_request) return std::nullopt;
  if (backlog.any_idle && backlog.ahead == 0) return Clock::duration::zero();
  const auto queued = *backlog.of_request * static_cast<Clock::duration::rep>(backlog.ahead) /
                      static_cast<Clock::duration::rep>(backlog.worker_count);
  return queued + (backlog.any_idle ? Clock::duration::zero() : backlog.first_free);
}

Admission admission(const Backlog& backlog, const Patience& patience) {
  const auto wait = expected_wait(backlog);
  if (!wait || *wait == Clock::duration::zero()) return Admission::kAdmit;
  if (*wait > patience.queue_timeout) return Admission::kQueueFull;
  return *wait + *backlog.of_request > patience.until_deadline ? Admission::kTooLate : Admission::kAdmit;
}

std::uint32_t retry_after_seconds(Clock::duration wait) {
  constexpr Clock::duration kShortest = std::chrono::seconds(1);
  constexpr Clock::duration kLongest = std::chrono::seconds(60);
  const auto whole = std::chrono::ceil<std::chrono::seconds>(std::clamp(wait, kShortest, kLongest));
  return static_cast<std::uint32_t>(whole.count());
}

std::uint32_t retry_after_seconds(const Backlog& backlog) {
  return retry_after_seconds(expected_wait(backlog).value_or(Clock::duration::zero()));
}

}  // namespace yolod::app::schedule
