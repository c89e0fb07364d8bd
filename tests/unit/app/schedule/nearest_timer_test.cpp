#include "app/schedule/nearest_timer.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <optional>

#include "common/awake_clock.hpp"

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;
using common::AwakeClock;

class TimerBench {
 public:
  void run_for(std::chrono::milliseconds time) {
    (void)AwakeClock::now();
    io.restart();
    io.run_for(time);
  }
  boost::asio::io_context io;
  int run_out{0};
  std::optional<NearestTimer> timer{std::in_place, io, [this] { ++run_out; }};
};

TEST_CASE("NearestTimer: the timer expires once, at the nearest time", "[app][unit]") {
  TimerBench bench;
  const auto now = AwakeClock::now();
  bench.timer->set_by(now + 1h);
  bench.timer->set_by(now + 5ms);
  bench.timer->set_by(now + 2h);
  bench.run_for(50ms);
  CHECK(bench.run_out == 1);
  bench.timer->set_by(AwakeClock::now() + 1ms);
  bench.run_for(50ms);
  CHECK(bench.run_out == 2);
}

TEST_CASE("NearestTimer: the timer can be delayed and stopped", "[app][unit]") {
  TimerBench bench;
  bench.timer->set(AwakeClock::now() + 1ms);
  bench.timer->set(AwakeClock::now() + 1h);
  bench.run_for(20ms);
  CHECK(bench.run_out == 0);
  bench.timer->set(AwakeClock::now() + 1ms);
  bench.timer->set(std::nullopt);
  bench.timer->set(std::nullopt);
  bench.run_for(20ms);
  CHECK(bench.run_out == 0);
}

TEST_CASE("NearestTimer: a timer that has expired when its owner is destroyed calls no function", "[app][unit]") {
  TimerBench bench;
  bench.timer->set(AwakeClock::now());
  bench.timer.reset();
  bench.run_for(20ms);
  CHECK(bench.run_out == 0);
}

}  // namespace
}  // namespace yolod::app::schedule
