#include "app/accounts/failed_logins.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::accounts {
namespace {

using common::Clock;
using namespace std::chrono_literals;

constexpr auto kNone = Clock::duration::zero();
const Clock::time_point kStart{1000h};

void fail(FailedLogins& logins, const std::string& name, const std::string& origin, Clock::time_point now,
          int times = 1) {
  for (int i = 0; i < times; ++i) (void)logins.begins(name, origin, now);
}

void succeed(FailedLogins& logins, const std::string& name, const std::string& origin, Clock::time_point now) {
  logins.succeeded(logins.begins(name, origin, now), now);
}

}  // namespace

TEST_CASE("FailedLogins: the wait for a name and origin doubles after three failures", "[accounts][unit]") {
  FailedLogins logins;
  auto now = kStart;
  fail(logins, "anna", "10.0.0.1", now, 2);
  CHECK(logins.wait("anna", "10.0.0.1", now) <= kNone);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    fail(logins, "anna", "10.0.0.1", now);
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
    succeed(logins, "anna", "10.0.0.1", kStart);
  }
}

TEST_CASE("FailedLogins: an attempt without a check of the password does not count", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 1000; ++i) {
    logins.not_tried(logins.begins("anna", "10.0.0.1", kStart));
  }
  fail(logins, "anna", "10.0.0.1", kStart);
  CHECK(logins.wait("anna", "10.0.0.1", kStart) <= 60s);
  CHECK(logins.wait("otto", "10.0.0.1", kStart) <= kNone);

  // A person who has failed often can try again at once after such an attempt.
  fail(logins, "emma", "10.0.0.2", kStart, 8);
  const auto later = kStart + 2min;
  logins.not_tried(logins.begins("emma", "10.0.0.2", later));
  CHECK(logins.wait("emma", "10.0.0.2", later) <= kNone);
  logins.not_tried(logins.begins("emma", "10.0.0.2", kStart + 1s));
  CHECK(logins.wait("emma", "10.0.0.2", kStart + 1s) > 10s);
}

TEST_CASE("FailedLogins: a streak is forgotten after a while", "[accounts][unit]") {
  FailedLogins logins;
  fail(logins, "anna", "10.0.0.1", kStart, 5);
  const auto later = kStart + 20min;
  fail(logins, "anna", "10.0.0.1", later);
  CHECK(logins.wait("anna", "10.0.0.1", later) <= kNone);
}

TEST_CASE("FailedLogins: a name has 100 failures an hour, wherever they come from", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 100; ++i) {
    const std::string origin = "10.0.0." + std::to_string(i);
    CHECK(logins.wait("anna", origin, kStart) <= kNone);
    fail(logins, "anna", origin, kStart);
  }
  const auto wait = logins.wait("anna", "10.9.9.9", kStart);
  CHECK(wait > 35s);
  CHECK(wait <= 37s);
  CHECK(logins.wait("anna", "10.9.9.9", kStart + 37s) <= kNone);
}

TEST_CASE("FailedLogins: an origin has 300 failures an hour, whatever the names", "[accounts][unit]") {
  FailedLogins logins;
  for (int i = 0; i < 300; ++i) fail(logins, "name" + std::to_string(i), "10.0.0.1", kStart);
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

// Two attackers use up the failures of a name after its person has logged in.
TEST_CASE("FailedLogins: attackers elsewhere do not lock out a person at an origin they have used before",
          "[accounts][unit]") {
  FailedLogins logins;
  succeed(logins, "anna", "10.0.0.1", kStart);
  for (int i = 0; i < 100; ++i) fail(logins, "anna", i % 2 == 0 ? "10.0.8.1" : "10.0.8.2", kStart);
  CHECK(logins.wait("anna", "10.0.0.3", kStart) > kNone);
  CHECK(logins.wait("anna", "10.0.0.1", kStart) <= kNone);
  CHECK(logins.wait("otto", "10.0.0.1", kStart) <= kNone);
  // The allowance of a known origin is bounded.
  fail(logins, "anna", "10.0.0.1", kStart, 20);
  const auto later = kStart + 60s;  // the growing wait is over
  fail(logins, "anna", "10.0.8.1", later, 2);
  CHECK(logins.wait("anna", "10.0.0.1", later) > kNone);
}

TEST_CASE("FailedLogins: success at a known origin gives back what it took", "[accounts][unit]") {
  FailedLogins logins;
  succeed(logins, "anna", "10.0.0.1", kStart);
  for (int i = 0; i < 100; ++i) fail(logins, "anna", "10.0.8." + std::to_string(i), kStart);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(logins.wait("anna", "10.0.0.1", kStart) <= kNone);
    succeed(logins, "anna", "10.0.0.1", kStart);
  }
  CHECK(logins.wait("anna", "10.0.0.2", kStart) > kNone);
}

TEST_CASE("FailedLogins: one person has a bounded number of known origins", "[accounts][unit]") {
  FailedLogins logins(8);  // one set
  succeed(logins, "otto", "10.0.0.1", kStart);
  for (int i = 0; i < 100; ++i)
    succeed(logins, "anna", "10.1.0." + std::to_string(i), kStart + std::chrono::seconds(i));
  const auto now = kStart + 200s;
  for (int i = 0; i < 100; ++i) {
    fail(logins, "anna", "10.2.0." + std::to_string(i), now);
    fail(logins, "otto", "10.2.0." + std::to_string(i), now);
  }
  CHECK(logins.wait("otto", "10.0.0.1", now) <= kNone);
  CHECK(logins.wait("anna", "10.1.0.99", now) <= kNone);
  CHECK(logins.wait("anna", "10.1.0.10", now) > kNone);
}

// An attacker can own thousands of accounts, and log in with each from several origins.
TEST_CASE("FailedLogins: the accounts of an attacker do not push out the known origins of a person",
          "[accounts][unit]") {
  FailedLogins logins(64);
  succeed(logins, "otto", "10.0.0.1", kStart);
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = "attacker" + std::to_string(i);
    succeed(logins, name, "10.1.0.1", kStart + std::chrono::milliseconds(i));
    succeed(logins, name, "10.1.0.2", kStart + std::chrono::milliseconds(i));
  }
  const auto now = kStart + 60s;
  for (int i = 0; i < 100; ++i) fail(logins, "otto", "10.2.0." + std::to_string(i), now);
  CHECK(logins.wait("otto", "10.0.0.9", now) > kNone);
  CHECK(logins.wait("otto", "10.0.0.1", now) <= kNone);
}

TEST_CASE("KnownOrigins: the number of people is bounded, and the first ones stay", "[accounts][unit]") {
  KnownOrigins origins(2);
  for (CounterId name = 1; name <= 3; ++name) origins.add(name, 10 * name, kStart);
  origins.add(1, 11, kStart + 1s);
  CHECK(origins.has(1, 10));
  CHECK(origins.has(1, 11));
  CHECK(origins.has(2, 20));
  CHECK_FALSE(origins.has(3, 30));
  CHECK_FALSE(origins.has(2, 10));
}

// A proxy on this machine may hide all its clients.
TEST_CASE("FailedLogins: one client of a shared origin does not lock out the others", "[accounts][unit]") {
  for (const std::string origin : {"127.0.0.1", "::/48", "unix"}) {
    CAPTURE(origin);
    FailedLogins logins;
    for (int i = 0; i < 1000; ++i) fail(logins, "name" + std::to_string(i), origin, kStart);
    fail(logins, "anna", origin, kStart, 50);
    CHECK(logins.wait("anna", origin, kStart) <= kNone);
    for (int i = 0; i < 100; ++i) logins.registered(origin, kStart);
    CHECK(logins.wait_to_register(origin, kStart) <= kNone);
    // Guesses of one name stay bounded.
    fail(logins, "anna", origin, kStart, 50);
    CHECK(logins.wait("anna", origin, kStart) > kNone);
  }
}

TEST_CASE("FailedLogins: many other names and origins do not make it forget an attacker", "[accounts][unit]") {
  FailedLogins logins(64);
  fail(logins, "anna", "10.0.0.1", kStart, 100);
  for (int i = 0; i < 100'000; ++i) {
    const auto number = std::to_string(i);
    fail(logins, "name" + number, "10.1." + number, kStart + std::chrono::milliseconds(i / 100));
  }
  const auto now = kStart + 1s;
  CHECK(logins.wait("anna", "10.0.0.9", now) > 30s);  // the name
  CHECK(logins.wait("otto", "10.0.0.1", now) <= kNone);
  FailedLogins others(64);
  fail(others, "anna", "10.0.0.1", kStart, 8);
  for (int i = 0; i < 100'000; ++i) {
    const auto number = std::to_string(i);
    fail(others, "name" + number, "10.1." + number, kStart + std::chrono::milliseconds(i / 100));
  }
  CHECK(others.wait("anna", "10.0.0.1", now) > 30s);  // the streak
}

TEST_CASE("Buckets: the memory is fixed, and the fullest bucket makes room", "[accounts][unit]") {
  Buckets buckets(10, 10s, 8);
  for (CounterId id = 1; id <= 7; ++id) {
    for (int i = 0; i < 10; ++i) buckets.take(id, kStart);
  }
  for (CounterId id = 100; id < 1100; ++id) buckets.take(id, kStart);
  CHECK(buckets.count(kStart) == 8);
  for (CounterId id = 1; id <= 7; ++id) CHECK(buckets.wait(id, kStart) == 1s);
  CHECK(buckets.wait(100, kStart) <= kNone);
  CHECK(buckets.wait(1, kStart + 1s) <= kNone);
  // A bucket that is empty does not become emptier.
  for (int i = 0; i < 100; ++i) buckets.take(1, kStart);
  CHECK(buckets.wait(1, kStart) == 1s);
}

}  // namespace yolod::app::accounts
