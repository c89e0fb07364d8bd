#include "model/heads/softmax.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

using yolod::model::heads::softmax;

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
