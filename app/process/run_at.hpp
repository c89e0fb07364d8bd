// Something that the front-end does later, on its own clock.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "common/awake_clock.hpp"

namespace yolod::app::process {

// Runs `then` at `when`, a time of AwakeClock, unless the timer is set again or `owner`, who owns the timer, is gone by
// then: a handler that is in the event loop's queue already cannot be cancelled any more.
inline void run_at(boost::asio::steady_timer& timer, common::Clock::time_point when, std::weak_ptr<void> owner,
                   std::function<void()> then) {
  timer.expires_at(common::AwakeClock::real_time(when));
  timer.async_wait([&timer, when, owner = std::move(owner), then = std::move(then)](boost::system::error_code failure) {
    if (failure || owner.expired()) return;
    if (common::AwakeClock::now() < when) {  // time was lost since the timer was set
      run_at(timer, when, owner, then);
    } else {
      then();
    }
  });
}

}  // namespace yolod::app::process
