#include "common/domain/top_k.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using namespace yolod;
using common::Classification;
using common::top_k;

TEST_CASE("TopK: the most probable classes come first, equal classes in the order of their numbers", "[common][unit]") {
  const std::vector<float> probabilities{0.1F, 0.4F, 0.1F, 0.4F};
  CHECK(top_k(probabilities, 3) == std::vector<Classification>{{1, 0.4F}, {3, 0.4F}, {0, 0.1F}});
}

TEST_CASE("TopK: the result has no more entries than there are classes", "[common][unit]") {
  CHECK(top_k({}, 5).empty());
  CHECK(top_k(std::vector<float>{1}, 5) == std::vector<Classification>{{0, 1}});
  CHECK(top_k(std::vector<float>{1}, 0).empty());
}

TEST_CASE("TopK: values that are not finite are ignored", "[common][unit]") {
  const std::vector<float> probabilities{std::numeric_limits<float>::quiet_NaN(), 0.5F,
                                         std::numeric_limits<float>::infinity()};
  CHECK(top_k(probabilities, 5) == std::vector<Classification>{{1, 0.5F}});
}
