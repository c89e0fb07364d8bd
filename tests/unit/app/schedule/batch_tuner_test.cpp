#include "app/schedule/batch_tuner.hpp"

#include <catch2/catch.hpp>
#include <chrono>

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;
using common::Clock;

const std::vector<std::size_t> kSizes{1, 2, 4, 8};

// A device on which a batch takes `fixed`, plus `each` for every request.
ServiceTimes device(std::chrono::microseconds fixed, std::chrono::microseconds each) {
  ServiceTimes times;
  for (const auto size : kSizes) times.record(size, fixed + each * static_cast<int>(size));
  return times;
}

TEST_CASE("BatchTuner: without measurements only the limit bounds the size", "[app][unit]") {
  CHECK(choose_batch({}, kSizes, 50ms, std::nullopt, 1) == BatchChoice{8, 0ms});
}

TEST_CASE("BatchTuner: a batch stays small if a larger batch gains nothing", "[app][unit]") {
  CHECK(choose_batch(device(0us, 10'000us), kSizes, 1s, 1ms, 1) == BatchChoice{1, 0ms});
}

TEST_CASE("BatchTuner: the best size is chosen whose batch, with the batch before it, fits into the target",
          "[app][unit]") {
  const auto times = device(8'000us, 1'000us);  // 9, 10, 12, 16 ms
  CHECK(choose_batch(times, kSizes, 40ms, std::nullopt, 1).size == 8);
  CHECK(choose_batch(times, kSizes, 31ms, std::nullopt, 1).size == 4);
  CHECK(choose_batch(times, kSizes, 21ms, std::nullopt, 1).size == 2);
  CHECK(choose_batch(times, kSizes, 19ms, std::nullopt, 1).size == 1);
  CHECK(choose_batch(times, kSizes, 1ms, std::nullopt, 1).size == 1);  // no smaller size exists
}

TEST_CASE("BatchTuner: a batch waits to fill only as long as the target allows", "[app][unit]") {
  const auto times = device(8'000us, 1'000us);
  const auto choice = choose_batch(times, kSizes, 40ms, 1ms, 1);
  CHECK(choice.size == 8);
  CHECK(choice.wait == 7ms);                                     // 40 - 2 * 16 = 8 ms are left
  CHECK(choose_batch(times, kSizes, 40ms, 2ms, 1).wait == 0ms);  // the batch would not fill
  CHECK(choose_batch(times, kSizes, 40ms, std::nullopt, 1).wait == 0ms);
}

TEST_CASE("BatchTuner: an overloaded model takes larger batches, in time or not, until it keeps up", "[app][unit]") {
  const auto times = device(8'000us, 1'000us);  // 9, 5, 3 and 2 ms a request
  const auto size = [&](common::Clock::duration interval, std::size_t workers) {
    return choose_batch(times, kSizes, 1ms, interval, workers).size;
  };
  CHECK(size(10ms, 1) == 1);
  CHECK(size(6ms, 1) == 2);
  CHECK(size(4ms, 1) == 4);
  CHECK(size(2500us, 1) == 8);
  CHECK(size(1ms, 1) == 8);  // no size keeps up
  CHECK(size(5ms, 2) == 1);
  CHECK(size(1ms, 4) == 4);
  // A larger batch gains nothing here, so the size stays small at any rate of requests.
  CHECK(choose_batch(device(0us, 10'000us), kSizes, 1ms, 1ms, 1).size == 1);
}

TEST_CASE("BatchTuner: after an overload, late answers do not keep batches small", "[app][unit]") {
  BatchTuner tuner(50ms, kSizes);
  const auto times = device(8'000us, 1'000us);
  auto now = Clock::time_point(1h);
  for (int i = 0; i < 200 * 20; ++i) {
    tuner.arrived(now += 1ms);
    tuner.answered(1s);
  }
  CHECK(tuner.granted() == Approx(0.1));
  CHECK(tuner.choose(times, 1).size == 8);
}

TEST_CASE("BatchTuner: late answers reduce the allowed time, early answers restore it", "[app][unit]") {
  BatchTuner tuner(50ms, kSizes);
  CHECK(tuner.granted() == 1);
  for (int i = 0; i < 197; ++i) tuner.answered(10ms);
  for (int i = 0; i < 3; ++i) tuner.answered(60ms);
  CHECK(tuner.granted() == Approx(0.8));
  for (int i = 0; i < 200 * 20; ++i) tuner.answered(60ms);
  CHECK(tuner.granted() == Approx(0.1));
  for (int i = 0; i < 200 * 100; ++i) tuner.answered(10ms);
  CHECK(tuner.granted() == Approx(1));
}

TEST_CASE("BatchTuner: two late answers in two hundred are within a 99th percentile", "[app][unit]") {
  BatchTuner tuner(50ms, kSizes);
  for (int i = 0; i < 198; ++i) tuner.answered(46ms);
  for (int i = 0; i < 2; ++i) tuner.answered(60ms);
  CHECK(tuner.granted() == 1);
}

TEST_CASE("BatchTuner: the tuner learns the rate of requests", "[app][unit]") {
  BatchTuner tuner(40ms, kSizes);
  auto now = Clock::time_point(1h);
  for (int i = 0; i < 200; ++i) tuner.arrived(now += 1ms);
  const auto choice = tuner.choose(device(8'000us, 1'000us), 1);
  CHECK(choice.size == 8);
  CHECK(std::chrono::duration<double, std::milli>(choice.wait).count() == Approx(7).epsilon(0.01));
}

}  // namespace
}  // namespace yolod::app::schedule
