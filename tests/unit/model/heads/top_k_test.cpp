#include "model/heads/top_k.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using namespace yolod;
using namespace yolod::model::heads;
using common::Classification;

TEST_CASE("TopK: the most probable classes come first, equal classes in the order of their numbers", "[model][unit]") {
  const std::vector<float> probabilities{0.1F, 0.4F, 0.1F, 0.4F};
  CHECK(top_k(probabilities, 3) == std::vector<Classification>{{1, 0.4F}, {3, 0.4F}, {0, 0.1F}});
}

TEST_CASE("TopK: the result has no more entries than there are classes", "[model][unit]") {
  CHECK(top_k({}, 5).empty());
  CHECK(top_k(std::vector<float>{1}, 5) == std::vector<Classification>{{0, 1}});
  CHECK(top_k(std::vector<float>{1}, 0).empty());
}

TEST_CASE("TopK: values that are not finite are ignored", "[model][unit]") {
  const std::vector<float> probabilities{std::numeric_limits<float>::quiet_NaN(), 0.5F,
                                         std::numeric_limits<float>::infinity()};
  CHECK(top_k(probabilities, 5) == std::vector<Classification>{{1, 0.5F}});
}

TEST_CASE("Softmax: the result is exp over the sum of all, even for large logits", "[model][unit]") {
  std::vector<float> small{0, 1, 2};
  softmax(small);
  const double sum = 1 + std::exp(1.0) + std::exp(2.0);
  for (int i = 0; i < 3; ++i) CHECK(small[static_cast<std::size_t>(i)] == Approx(std::exp(i) / sum));
  std::vector<float> large{1000, 1001, -1e30F};
  softmax(large);
  CHECK(large[1] == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(large[2] == 0);
  CHECK(std::accumulate(large.begin(), large.end(), 0.0) == Approx(1));
  std::vector<float> none;
  softmax(none);
}
