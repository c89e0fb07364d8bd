#include "tools/scenes/random.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>

using yolod::scenes::Random;
using yolod::scenes::SplitMix64;

TEST_CASE("SplitMix64: gives the published numbers", "[scenes][unit]") {
  // These are the numbers of seed 1234567 in Rosetta Code, "Pseudo-random numbers/Splitmix64".
  SplitMix64 numbers(1'234'567);
  CHECK(numbers() == 6'457'827'717'110'365'317U);
  CHECK(numbers() == 3'203'168'211'198'807'973U);
  CHECK(numbers() == 9'817'491'932'198'370'423U);
}

TEST_CASE("Random: numbers stay in their ranges and fill them", "[scenes][unit]") {
  Random random(3, 4);
  std::array<int, 5> whole{};
  float least = 1;
  float most = 0;
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) {
    const float unit = random.unit();
    REQUIRE(unit >= 0);
    REQUIRE(unit < 1);
    least = std::min(least, unit);
    most = std::max(most, unit);
    const int number = random.integer(-2, 2);
    REQUIRE(number >= -2);
    REQUIRE(number <= 2);
    ++whole[static_cast<std::size_t>(number + 2)];
    const float wide = random.log_uniform(2, 32);
    REQUIRE(wide >= 2);
    REQUIRE(wide <= 32);
    const double normal = random.normal(10, 3);
    sum += normal;
    squares += (normal - 10) * (normal - 10);
  }
  CHECK(least < 0.001F);
  CHECK(most > 0.999F);
  for (const int count : whole) CHECK(count > kCount / 5 - 300);
  CHECK(sum / kCount == Approx(10).margin(0.1));
  CHECK(std::sqrt(squares / kCount) == Approx(3).margin(0.1));
}

TEST_CASE("Random: weights are shares, and an entry of weight 0 is never chosen", "[scenes][unit]") {
  Random random(8);
  std::array<int, 3> taken{};
  for (int i = 0; i < 8000; ++i) ++taken[random.weighted(std::array{3.0F, 0.0F, 1.0F})];
  CHECK(taken[0] == Approx(6000).margin(200));
  CHECK(taken[1] == 0);
  CHECK(taken[2] == Approx(2000).margin(200));
}
