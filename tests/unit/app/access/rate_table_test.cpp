#include "app/access/rate_table.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::access::rate_table_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr common::Clock::time_point kStart{std::chrono::hours(1)};

int taken_of(RateTable& table, int tries, std::uint64_t sender, std::uint32_t per_second,
             common::Clock::time_point now) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += table.take(sender, per_second, now) ? 1 : 0;
  return taken;
}

TEST_CASE("RateTable: as many requests as a second allows may come at once, and no more", "[app][access][unit]") {
  RateTable table;
  const std::uint32_t per_second = GENERATE(1U, 3U, 10U, 1000U);
  CHECK(taken_of(table, 2000, 7, per_second, kStart) == static_cast<int>(per_second));
}

TEST_CASE("RateTable: a bucket fills again at its rate", "[app][access][unit]") {
  RateTable table;
  REQUIRE(taken_of(table, 20, 7, 10, kStart) == 10);
  CHECK_FALSE(table.take(7, 10, kStart + milliseconds(99)));
  CHECK(table.take(7, 10, kStart + milliseconds(100)));
  CHECK_FALSE(table.take(7, 10, kStart + milliseconds(100)));
  CHECK(taken_of(table, 20, 7, 10, kStart + milliseconds(500)) == 4);
  CHECK(taken_of(table, 20, 7, 10, kStart + seconds(100)) == 10);
}

TEST_CASE("RateTable: a refused request takes nothing", "[app][access][unit]") {
  RateTable table;
  REQUIRE(taken_of(table, 1000, 7, 1, kStart) == 1);
  CHECK(table.take(7, 1, kStart + seconds(1)));
}

TEST_CASE("RateTable: over a long time a sender gets its rate and one bucket", "[app][access][unit]") {
  RateTable table;
  int taken = 0;
  for (int ms = 0; ms < 10'000; ++ms) taken += taken_of(table, 3, 7, 100, kStart + milliseconds(ms));
  CHECK(taken >= 1090);
  CHECK(taken <= 1100);
}

TEST_CASE("RateTable: senders do not take from each other", "[app][access][unit]") {
  RateTable table;
  for (std::uint64_t sender = 0; sender < 1000; ++sender) {
    CHECK(taken_of(table, 10, sender * 0x9E3779B97F4A7C15, 5, kStart) == 5);
  }
}

TEST_CASE("RateTable: a look takes nothing", "[app][access][unit]") {
  RateTable table;
  CHECK(table.may_take(7, 1, kStart));
  CHECK(table.may_take(7, 1, kStart));
  CHECK(table.take(7, 1, kStart));
  CHECK_FALSE(table.may_take(7, 1, kStart));
  CHECK(table.may_take(8, 1, kStart));
  CHECK(table.may_take(7, 1, kStart + seconds(1)));
}

TEST_CASE("RateTable: a clock that reads an earlier time gives no request away", "[app][access][unit]") {
  RateTable table;
  REQUIRE(taken_of(table, 10, 7, 5, kStart) == 5);
  CHECK_FALSE(table.take(7, 5, kStart - seconds(10)));
}

TEST_CASE("RateTable: its memory does not grow", "[app][access][unit]") {
  RateTable table(16);
  CHECK(table.memory_bytes() == 0);
  CHECK(table.take(1, 1, kStart));
  const auto bytes = table.memory_bytes();
  for (std::uint64_t sender = 0; sender < 100'000; ++sender) (void)table.take(sender * 977, 1, kStart);
  CHECK(table.memory_bytes() == bytes);
}

TEST_CASE("RateTable: the entry that counts least gives its place", "[app][access][unit]") {
  RateTable table(1);
  // Sender 100 has used up its bucket. The others have sent one request each.
  REQUIRE(taken_of(table, 10, 100, 10, kStart) == 10);
  for (std::uint64_t sender = 1; sender < RateTable::kWays; ++sender) REQUIRE(table.take(sender, 10, kStart));
  for (std::uint64_t sender = 200; sender < 300; ++sender) REQUIRE(table.take(sender, 10, kStart));
  CHECK_FALSE(table.take(100, 10, kStart));
}

}  // namespace
}  // namespace yolod::app::access::rate_table_test
