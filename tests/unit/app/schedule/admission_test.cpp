#include "app/schedule/admission.hpp"

#include <catch2/catch.hpp>
#include <chrono>

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;

constexpr Patience kUsualPatience{10s, 30s};

Backlog backlog(std::size_t ahead, std::size_t workers = 2) {
  Backlog made;
  made.ahead = ahead;
  made.worker_count = workers;
  made.of_request = 100ms;
  made.first_free = 50ms;
  return made;
}

TEST_CASE("Admission: the expected wait is the work ahead, shared by the workers, after the first worker is free",
          "[app][unit]") {
  CHECK(expected_wait(backlog(0)) == 50ms);
  CHECK(expected_wait(backlog(10)) == 550ms);
  CHECK(expected_wait(backlog(10, 1)) == 1050ms);
}

TEST_CASE("Admission: a request that could begin at once has no wait and is always admitted", "[app][unit]") {
  auto idle = backlog(0);
  idle.any_idle = true;
  CHECK(expected_wait(idle) == 0ms);
  // This holds for any estimate of the workers. Otherwise the server could not learn that workers have become
  // faster.
  CHECK(admission(idle, {0ms, 1ms}) == Admission::kAdmit);
}

TEST_CASE("Admission: without estimates no request is refused", "[app][unit]") {
  auto unknown = backlog(1'000'000);
  unknown.of_request.reset();
  CHECK_FALSE(expected_wait(unknown));
  CHECK(admission(unknown, {1ms, 1ms}) == Admission::kAdmit);
  CHECK(admission(backlog(1'000'000, 0), {1ms, 1ms}) == Admission::kAdmit);
}

TEST_CASE("Admission: a request that would wait longer than the queue's timeout is refused at once", "[app][unit]") {
  CHECK(admission(backlog(190), kUsualPatience) == Admission::kAdmit);
  CHECK(admission(backlog(200), kUsualPatience) == Admission::kQueueFull);
}

TEST_CASE("Admission: a request that would be answered after its deadline is refused at once", "[app][unit]") {
  CHECK(admission(backlog(10), {10s, 650ms}) == Admission::kAdmit);
  CHECK(admission(backlog(10), {10s, 649ms}) == Admission::kTooLate);
  CHECK(admission(backlog(10), {10s, -5ms}) == Admission::kTooLate);
}

TEST_CASE("Admission: if the wait exceeds both limits, the reason is that the server is too busy", "[app][unit]") {
  CHECK(admission(backlog(200), {10s, 1s}) == Admission::kQueueFull);
  CHECK(admission(backlog(10), {500ms, 500ms}) == Admission::kQueueFull);
}

TEST_CASE("Admission: Retry-After is the time of the waiting work, in seconds from 1 to 60", "[app][unit]") {
  CHECK(retry_after_seconds(backlog(0)) == 1);
  CHECK(retry_after_seconds(backlog(19)) == 1);
  CHECK(retry_after_seconds(backlog(20)) == 2);
  CHECK(retry_after_seconds(backlog(64)) == 4);
  CHECK(retry_after_seconds(backlog(100'000)) == 60);
  CHECK(retry_after_seconds(backlog(64, 0)) == 1);  // the estimate is unknown
}

}  // namespace
}  // namespace yolod::app::schedule
