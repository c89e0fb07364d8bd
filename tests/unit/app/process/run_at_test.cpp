#include "app/process/run_at.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;
using common::AwakeClock;

struct Owner {
  explicit Owner(boost::asio::io_context& io) : timer(io) {}
  boost::asio::steady_timer timer;
  common::Lifeline lifeline;
};

TEST_CASE("RunAt: the function runs once, at its time, and not after the timer is set again or cancelled",
          "[app][unit]") {
  boost::asio::io_context io;
  Owner owner(io);
  int first = 0;
  int second = 0;
  (void)AwakeClock::now();
  run_at(owner.timer, AwakeClock::now() + 1h, owner.lifeline, [&] { ++first; });
  const auto when = AwakeClock::now() + 5ms;
  run_at(owner.timer, when, owner.lifeline, [&] { ++second; });
  io.run();
  CHECK(first == 0);
  CHECK(second == 1);
  CHECK(AwakeClock::now() >= when);
  io.restart();
  run_at(owner.timer, AwakeClock::now() + 1h, owner.lifeline, [&] { ++first; });
  owner.timer.cancel();
  io.run();
  CHECK(first == 0);
}

TEST_CASE("RunAt: a handler in the event loop's queue does nothing after its owner is gone", "[app][unit]") {
  boost::asio::io_context io;
  auto first = std::make_unique<Owner>(io);
  auto second = std::make_unique<Owner>(io);
  int runs = 0;
  const auto when = AwakeClock::now();
  // Both timers have expired when the loop checks them. The handler that runs first destroys the other timer's
  // owner.
  run_at(first->timer, when, first->lifeline, [&] {
    ++runs;
    second.reset();
  });
  run_at(second->timer, when, second->lifeline, [&] {
    ++runs;
    first.reset();
  });
  io.run();
  CHECK(runs == 1);
}

TEST_CASE("RunAt: time that the front-end has lost delays the function", "[app][unit]") {
  boost::asio::io_context io;
  Owner owner(io);
  bool ran = false;
  const auto when = AwakeClock::now() + 20ms;
  run_at(owner.timer, when, owner.lifeline, [&] { ran = true; });
  AwakeClock::skip(-15ms);  // simulates a loop that did not run for this long
  io.run();
  CHECK(ran);
  CHECK(AwakeClock::now() >= when);
  AwakeClock::skip(15ms);
}

}  // namespace
}  // namespace yolod::app::process
