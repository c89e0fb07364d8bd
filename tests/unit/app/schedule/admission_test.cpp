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

TEST_CASE("Admission: a wait is what stands before, shared by the workers, after the first of them is free",
          "[app][unit]") {
  CHECK(expected_wait(backlog(0)) == 50ms);
  CHECK(expected_wait(backlog(10)) == 550ms);
  CHECK(expected_wait(backlog(10, 1)) == 1050ms);
}

TEST_CASE("Admission: who could begin at once waits for nothing and is always admitted", "[app][unit]") {
  auto idle = backlog(0);
  idle.any_idle = true;
  CHECK(expected_wait(idle) == 0ms);
  // Whatever is believed of the workers: only so is it found out that they have become faster.
  CHECK(admission(idle, {0ms, 1ms}) == Admission::kAdmit);
}

TEST_CASE("Admission: where nothing is known nobody is refused", "[app][unit]") {
  auto unknown = backlog(1'000'000);
  unknown.of_request.reset();
  CHECK_FALSE(expected_wait(unknown));
  CHECK(admission(unknown, {1ms, 1ms}) == Admission::kAdmit);
  CHECK(admission(backlog(1'000'000, 0), {1ms, 1ms}) == Admission::kAdmit);
}

TEST_CASE("Admission: who would wait longer than the queue's timeout is told so at once", "[app][unit]") {
  CHECK(admission(backlog(190), kUsualPatience) == Admission::kAdmit);
  CHECK(admission(backlog(200), kUsualPatience) == Admission::kQueueFull);
}

TEST_CASE("Admission: who would be answered after its deadline is told so at once", "[app][unit]") {
  CHECK(admission(backlog(10), {10s, 650ms}) == Admission::kAdmit);
  CHECK(admission(backlog(10), {10s, 649ms}) == Admission::kTooLate);
  CHECK(admission(backlog(10), {10s, -5ms}) == Admission::kTooLate);
}

TEST_CASE("Admission: where the queue is too long for both, it is the server that is too busy", "[app][unit]") {
  CHECK(admission(backlog(200), {10s, 1s}) == Admission::kQueueFull);
  CHECK(admission(backlog(10), {500ms, 500ms}) == Admission::kQueueFull);
}

TEST_CASE("Admission: Retry-After is the time of what waits, in seconds from 1 to 60", "[app][unit]") {
  CHECK(retry_after_seconds(backlog(0)) == 1);
  CHECK(retry_after_seconds(backlog(19)) == 1);
  CHECK(retry_after_seconds(backlog(20)) == 2);
  CHECK(retry_after_seconds(backlog(64)) == 4);
  CHECK(retry_after_seconds(backlog(100'000)) == 60);
  CHECK(retry_after_seconds(backlog(64, 0)) == 1);  // who knows
}

}  // namespace
}  // namespace yolod::app::schedule
