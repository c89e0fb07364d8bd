#include "app/accounts/failed_logins.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::accounts {
namespace {

using common::Clock;
using namespace std::chrono_literals;

constexpr auto kNone = Clock::duration::zero();
const Clock::time_point kStart{1000h};

void fail(FailedLogins& logins, const std::string& name, const std::string& origin, Clock::time_point now, int times) {
  for (int i = 0; i < times; ++i) logins.begins(name, origin, now);
}

}  // namespace

TEST_CASE("FailedLogins: the wait for a name and origin doubles after three failures", "[accounts][unit]") {
  FailedLogins logins;
  auto now = kStart;
  fail(logins, "anna", "10.0.0.1", now, 2);
  CHECK(logins.wait("anna", "10.0.0.1", now) <= kNone);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    logins.begins("anna", "10.0.0.1", now);
    CHECK(logins.wait("anna", "10.0.0.1", now) == wait);
    now += wait;
    CHECK(logins.wait("anna", "10.0.0.1", now) <= kNone);
  }
  // The person themselves, elsewhere, and others here need not wait.
  CHECK(logins.wait("anna", "10.0.0.2", now) <= kNone);
  CHECK(logins.wait("otto", "10.0.0.1", now) <= kNone);
}

TEST_CASE("FailedLogins: success ends a streak and costs nothing", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(logins.wait("anna", "10.0.0.1", kStart) <= kNone);
    logins.begins("anna", "10.0.0.1", kStart);
    logins.succeeded("anna", "10.0.0.1");
  }
}

TEST_CASE("FailedLogins: an attempt without a check of the password does not count", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 1000; ++i) {
    logins.begins("anna", "10.0.0.1", kStart);
    logins.not_tried("anna", "10.0.0.1");
  }
  logins.begins("anna", "10.0.0.1", kStart);
  CHECK(logins.wait("anna", "10.0.0.1", kStart) <= 60s);
  CHECK(logins.wait("otto", "10.0.0.1", kStart) <= kNone);
}

TEST_CASE("FailedLogins: a streak is forgotten after a while", "[accounts][unit]") {
  FailedLogins logins;
  fail(logins, "anna", "10.0.0.1", kStart, 5);
  const auto later = kStart + 20min;
  logins.begins("anna", "10.0.0.1", later);
  CHECK(logins.wait("anna", "10.0.0.1", later) <= kNone);
}

TEST_CASE("FailedLogins: a name has 100 failures an hour, wherever they come from", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 100; ++i) {
    const std::string origin = "10.0.0." + std::to_string(i);
    CHECK(logins.wait("anna", origin, kStart) <= kNone);
    logins.begins("anna", origin, kStart);
  }
  const auto wait = logins.wait("anna", "10.9.9.9", kStart);
  CHECK(wait > 35s);
  CHECK(wait <= 37s);
  CHECK(logins.wait("anna", "10.9.9.9", kStart + 37s) <= kNone);
}

TEST_CASE("FailedLogins: an origin has 300 failures an hour, whatever the names", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 300; ++i) logins.begins("name" + std::to_string(i), "10.0.0.1", kStart);
  CHECK(logins.wait("anna", "10.0.0.1", kStart) > 11s);
  CHECK(logins.wait("anna", "10.0.0.2", kStart) <= kNone);
}

TEST_CASE("FailedLogins: an origin may register 20 people an hour", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 20; ++i) {
    CHECK(logins.wait_to_register("10.0.0.1", kStart) <= kNone);
    logins.registered("10.0.0.1", kStart);
  }
  CHECK(logins.wait_to_register("10.0.0.1", kStart) > kNone);
  CHECK(logins.wait_to_register("10.0.0.2", kStart) <= kNone);
}

TEST_CASE("FailedLogins: what it remembers is bounded, and the oldest is forgotten", "[accounts][unit]") {
  FailedLogins logins(10);
  for (int i = 0; i < 1000; ++i) fail(logins, "name" + std::to_string(i), std::to_string(i), kStart, 5);
  CHECK(logins.size() == 30);
  CHECK(logins.wait("name0", "0", kStart) <= kNone);
  CHECK(logins.wait("name999", "999", kStart) > kNone);
}

}  // namespace yolod::app::accounts
