#include "common/awake_clock.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

namespace yolod::common {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point kBegin{1h};

TEST_CASE("LostTime: nothing is lost before the second reading", "[common][unit]") {
  LostTime lost;
  CHECK(lost.total() == 0ms);
  lost.read(kBegin);
  CHECK(lost.total() == 0ms);
}

TEST_CASE("LostTime: a process that reads often loses nothing, however long it runs", "[common][unit]") {
  LostTime lost;
  auto now = kBegin;
  for (int i = 0; i < 10'000; ++i) lost.read(now += LostTime::kPeriod);
  for (int i = 0; i < 100; ++i) lost.read(now += LostTime::kLongestGap);
  for (int i = 0; i < 100; ++i) lost.read(now);
  CHECK(lost.total() == 0ms);
}

TEST_CASE("LostTime: a gap that is too long is lost as a whole, and gaps add up", "[common][unit]") {
  LostTime lost;
  lost.read(kBegin);
  lost.read(kBegin + LostTime::kLongestGap + 1ms);
  CHECK(lost.total() == LostTime::kLongestGap + 1ms);
  lost.read(kBegin + 1s);
  CHECK(lost.total() == LostTime::kLongestGap + 1ms);
  lost.read(kBegin + 12s);
  CHECK(lost.total() == LostTime::kLongestGap + 1ms + 11s);
}

TEST_CASE("AwakeClock: the clock stands still between readings, so that no deadline passes then", "[common][unit]") {
  const auto before = AwakeClock::now();
  const auto lost_before = AwakeClock::lost();
  const auto deadline = before + 300ms;
  std::this_thread::sleep_for(LostTime::kLongestGap + 50ms);
  CHECK(AwakeClock::now() < deadline);
  CHECK(AwakeClock::lost() - lost_before > LostTime::kLongestGap);
  // A timer that is set now for that deadline ends when the deadline has passed on this clock.
  CHECK(AwakeClock::real_time(deadline) > Clock::now());
  std::this_thread::sleep_until(AwakeClock::real_time(deadline));
  CHECK(AwakeClock::now() >= deadline);
}

TEST_CASE("AwakeClock: a time of never stays never", "[common][unit]") {
  (void)AwakeClock::now();
  std::this_thread::sleep_for(LostTime::kLongestGap + 50ms);
  (void)AwakeClock::now();
  CHECK(AwakeClock::real_time(Clock::time_point::max()) == Clock::time_point::max());
}

}  // namespace
}  // namespace yolod::common
