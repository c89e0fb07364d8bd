// The front-end does something later, at a time of its own clock.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <utility>

#include "common/awake_clock.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::process {

// Runs `then` at `when`, a time of AwakeClock, unless the timer is set again or cancelled before, or the owner of
// `lifeline` and of the timer is gone by then.
inline void run_at(boost::asio::steady_timer& timer, common::Clock::time_point when, const common::Lifeline& lifeline,
                   std::function<void()> then) {
  timer.expires_at(common::AwakeClock::real_time(when));
  timer.async_wait(lifeline.guard([&timer, when, &lifeline, then = std::move(then)](boost::system::error_code failure) {
    if (failure) return;
    if (common::AwakeClock::now() < when) {  // time was lost since the timer was set
      run_at(timer, when, lifeline, then);
    } else {
      then();
    }
  }));
}

}  // namespace yolod::app::process
