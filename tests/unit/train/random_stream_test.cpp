#include "tools/train/random_stream.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>

using yolod::train::RandomStream;

TEST_CASE("RandomStream: another seed, step or place makes another stream", "[train][unit]") {
  const auto first_of = [](std::uint64_t seed, std::uint64_t step, std::uint64_t place) {
    return RandomStream(seed, step, place).next();
  };
  CHECK(first_of(1, 2, 3) == first_of(1, 2, 3));
  CHECK(first_of(1, 2, 3) != first_of(1, 3, 2));
  CHECK(first_of(1, 2, 3) != first_of(2, 2, 3));
}

TEST_CASE("RandomStream: numbers stay in their ranges", "[train][unit]") {
  RandomStream random(5, 0, 0);
  double least = 1;
  double most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double unit = random.unit();
    least = std::min(least, unit);
    most = std::max(most, unit);
    REQUIRE(random.below(3) < 3);
    const double ratio = random.ratio_between(0.5, 2);
    REQUIRE(ratio >= 0.5);
    REQUIRE(ratio <= 2.0000001);
  }
  CHECK(least >= 0);
  CHECK(least < 0.001);
  CHECK(most < 1);
  CHECK(most > 0.999);
  CHECK(random.chance(1));
  CHECK_FALSE(random.chance(0));
}
