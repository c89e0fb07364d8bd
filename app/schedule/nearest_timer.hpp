// One timer for many moments: it runs out at the nearest that it was asked for. Its owner then looks at everything that
// may be due, and asks again.
//
// Front-end only, its one thread. Moments are AwakeClock's.
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
  // `io` outlives it. `run_out` is called from the event loop, and no more once this object is gone.
  NearestTimer(boost::asio::io_context& io, std::function<void()> run_out);
  NearestTimer(const NearestTimer&) = delete;
  NearestTimer& operator=(const NearestTimer&) = delete;

  // At `when`, whatever it was asked for before; nothing: not at all.
  void set(std::optional<common::Clock::time_point> when);
  // At `when` at the latest.
  void set_by(common::Clock::time_point when);

 private:
  boost::asio::steady_timer timer_;
  const std::function<void()> run_out_;
  std::optional<common::Clock::time_point> at_;
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::schedule
