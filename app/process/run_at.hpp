// Runs a function in the event loop at a later time of AwakeClock.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <utility>

#include "common/awake_clock.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::process {

// Runs `then` at `when`, a time of AwakeClock. Does not run it if the timer is set again or cancelled before, or if
// the owner of `lifeline` and of the timer has been destroyed. Only the thread of the front-end may call it.
inline void run_at(boost::asio::steady_timer& timer, common::Clock::time_point when, const common::Lifeline& lifeline,
                   std::function<void()> then) {
  timer.expires_at(common::AwakeClock::real_time(when));
  timer.async_wait(lifeline.guard([&timer, when, &lifeline, then = std::move(then)](boost::system::error_code failure) {
    if (failure) return;
    if (common::AwakeClock::now() < when) {  // AwakeClock lost time since the timer was set
      run_at(timer, when, lifeline, then);
    } else {
      then();
    }
  }));
}

}  // namespace yolod::app::process
