#include "app/http/upload_clock.hpp"

#include <utility>

namespace yolod::app::http {

using common::Clock;

void UploadClock::start(Clock::time_point now, std::uint64_t received_bytes) {
  running_ = true;
  evicted_ = false;
  began_ = checked_ = now;
  received_at_last_check_ = received_bytes;
  recent_rate_ = 0;
}

void UploadClock::pause(Clock::time_point now) {
  running_ = false;
  paused_ = now;
}

void UploadClock::resume(Clock::time_point now) {
  running_ = true;
  began_ += now - paused_;
  checked_ = now;
}

bool UploadClock::is_late(const Progress& progress, std::chrono::milliseconds body_timeout, Clock::time_point now) {
  if (!running_) return false;
  const std::chrono::duration<double> elapsed = now - std::exchange(checked_, now);
  const auto came =
      static_cast<double>(progress.received_bytes - std::exchange(received_at_last_check_, progress.received_bytes));
  if (elapsed.count() > 0) recent_rate_ = (recent_rate_ + came / elapsed.count()) / 2;
  return now >= began_ + body_timeout || !keeps_pace(upload(progress), body_timeout, now);
}

std::optional<UploadCost> UploadClock::cost(const Progress& progress, std::chrono::milliseconds body_timeout,
                                            Clock::time_point now) const {
  if (!running_) return std::nullopt;
  const auto to_come = cost_to_come(upload(progress), body_timeout, now);
  if (!to_come) return std::nullopt;
  return UploadCost{*to_come, progress.held_bytes};
}

void UploadClock::evict(const Progress& progress, std::chrono::milliseconds body_timeout, Clock::time_point now) {
  evicted_ = !is_behind(upload(progress), body_timeout, now);
}

}  // namespace yolod::app::http
