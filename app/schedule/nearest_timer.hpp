// Serves many deadlines with one timer, which expires at the nearest of them. Its owner then handles everything that
// is due and sets the timer again.
//
// The timer is used on the front-end's only thread. Times are AwakeClock's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>

#include "common/clock.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::schedule {

class NearestTimer {
 public:
  // `io` outlives this object. `run_out` is called on the event loop, but not after this object is destroyed.
  NearestTimer(boost::asio::io_context& io, std::function<void()> run_out);
  NearestTimer(const NearestTimer&) = delete;
  NearestTimer& operator=(const NearestTimer&) = delete;

  // Sets the timer to `when`, or cancels it if `when` is empty. The previous time is forgotten.
  void set(std::optional<common::Clock::time_point> when);
  // Sets the timer to `when` unless it expires earlier.
  void set_by(common::Clock::time_point when);

 private:
  boost::asio::steady_timer timer_;
  const std::function<void()> run_out_;
  std::optional<common::Clock::time_point> at_;
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::schedule
