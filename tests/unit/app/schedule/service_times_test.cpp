#include "app/schedule/service_times.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;

double ms(std::optional<ServiceTimes::Duration> duration) {
  REQUIRE(duration);
  return std::chrono::duration<double, std::milli>(*duration).count();
}

TEST_CASE("ServiceTimes: no time is known before the first batch", "[app][unit]") {
  const ServiceTimes times;
  CHECK_FALSE(times.of_batch(1));
  CHECK_FALSE(times.of_request());
}

TEST_CASE("ServiceTimes: a measured time is returned unchanged", "[app][unit]") {
  ServiceTimes times;
  times.record(4, 20ms);
  CHECK(ms(times.of_batch(4)) == Approx(20));
  CHECK(ms(times.of_request()) == Approx(5));
}

TEST_CASE("ServiceTimes: unmeasured sizes are interpolated linearly between measured sizes", "[app][unit]") {
  ServiceTimes times;
  times.record(2, 10ms);
  times.record(6, 18ms);
  CHECK(ms(times.of_batch(4)) == Approx(14));
  CHECK(ms(times.of_batch(3)) == Approx(12));
  // Beyond the largest measured size, each request costs the same.
  CHECK(ms(times.of_batch(1)) == Approx(5));
  CHECK(ms(times.of_batch(12)) == Approx(36));
  CHECK(ms(times.of_batch(1000)) == Approx(3000));
}

TEST_CASE("ServiceTimes: the estimate follows a change within about ten batches", "[app][unit]") {
  ServiceTimes times;
  times.record(1, 10ms);
  for (int i = 0; i < 20; ++i) times.record(1, 30ms);
  CHECK(ms(times.of_batch(1)) > 28);
  CHECK(ms(times.of_batch(1)) < 30);
}

TEST_CASE("ServiceTimes: the expected times count until they are measured, and other measurements correct them",
          "[app][unit]") {
  ServiceTimes times;
  times.expect(1, 10ms);
  times.expect(8, 40ms);
  CHECK(ms(times.of_batch(8)) == Approx(40));
  CHECK_FALSE(times.of_request());
  for (int i = 0; i < 60; ++i) times.record(1, 20ms);
  CHECK(ms(times.of_batch(1)) == Approx(20).epsilon(0.01));
  CHECK(ms(times.of_batch(8)) == Approx(80).epsilon(0.01));
}

TEST_CASE("ServiceTimes: the time that a worker claims counts little once the worker serves", "[app][unit]") {
  ServiceTimes times;
  times.expect(1, 0ms);
  times.expect(8, std::chrono::hours(1000));
  CHECK(ms(times.of_batch(8)) == Approx(600'000));
  for (int i = 0; i < 100; ++i) times.record(1, 10ms);
  CHECK(ms(times.of_batch(1)) == Approx(10));
  CHECK(ms(times.of_batch(8)) <= 20 * 600'000);
  times.expect(4, 1ms);
  CHECK(ms(times.of_batch(4)) <= 20);  // and not 10 ms / 1 ns times as long
}

TEST_CASE("ServiceTimes: a time of zero does not hide the other measurements", "[app][unit]") {
  ServiceTimes times;
  times.record(1, 0ms);
  CHECK(times.of_batch(1));
  times.clear();
  CHECK_FALSE(times.of_batch(1));
}

}  // namespace
}  // namespace yolod::app::schedule
