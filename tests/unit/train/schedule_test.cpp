#include "tools/train/schedule.hpp"

#include <catch2/catch.hpp>

using namespace yolod::train;

TEST_CASE("Schedule: the rate climbs, and falls to a hundredth", "[train][unit]") {
  CHECK(rate_at(0, 0) < 0.01);
  CHECK(rate_at(0.001, 10) > rate_at(0, 0));
  CHECK(rate_at(0.05, 100) == Approx(1).margin(0.01));
  CHECK(rate_at(0.5, 5'000) == Approx(0.505).margin(0.001));
  CHECK(rate_at(1, 10'000) == Approx(0.01));
  // A long run does not climb for long.
  CHECK(rate_at(0.005, 299) == Approx(1).margin(0.01));
}

TEST_CASE("Schedule: the last tenth is plain", "[train][unit]") {
  CHECK(stage_at(0) == Stage::kMixed);
  CHECK(stage_at(0.899) == Stage::kMixed);
  CHECK(stage_at(0.9) == Stage::kPlain);
  CHECK(stage_at(1) == Stage::kPlain);
}

TEST_CASE("Schedule: averaged weights forget the start", "[train][unit]") {
  CHECK(average_decay_at(0) < 0.2);
  CHECK(average_decay_at(100) < 0.95);
  CHECK(average_decay_at(1'000'000) == Approx(0.998));
}
