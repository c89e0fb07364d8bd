#include "app/schedule/nearest_timer.hpp"

#include <utility>

#include "common/awake_clock.hpp"

namespace yolod::app::schedule {

NearestTimer::NearestTimer(boost::asio::io_context& io, std::function<void()> run_out)
    : timer_(io), run_out_(std::move(run_out)) {}

void NearestTimer::set(std::optional<common::Clock::time_point> when) {
  if (when == at_) return;
  at_ = when;
  if (!when) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(common::AwakeClock::real_time(*when));
  timer_.async_wait(lifeline_.guard([this](boost::system::error_code failure) {
    if (failure) return;
    at_.reset();
    run_out_();
  }));
}

void NearestTimer::set_by(common::Clock::time_point when) {
  if (!at_ || when < *at_) set(when);
}

}  // namespace yolod::app::schedule
