#include "app/observe/histogram_tally.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace yolod::app::observe {
namespace {

void check_equal(const prometheus::Histogram& tallied, const prometheus::Histogram& observed) {
  const auto mine = tallied.Collect().histogram;
  const auto theirs = observed.Collect().histogram;
  CHECK(mine.sample_count == theirs.sample_count);
  CHECK(mine.sample_sum == Approx(theirs.sample_sum));
  REQUIRE(mine.bucket.size() == theirs.bucket.size());
  for (std::size_t i = 0; i < mine.bucket.size(); ++i) {
    CHECK(mine.bucket[i].cumulative_count == theirs.bucket[i].cumulative_count);
  }
}

TEST_CASE("HistogramTally: the histogram gets what it would have observed itself", "[app][unit]") {
  const std::vector<double> bounds{0.001, 0.01, 0.1};
  prometheus::Histogram tallied(bounds);
  prometheus::Histogram observed(bounds);
  HistogramTally tally(tallied, bounds);
  tally.hand_over();
  check_equal(tallied, observed);
  // The values lie below, at and above each bound. The second round shows that a collection adds to the first.
  for (int round = 0; round < 2; ++round) {
    for (const double value : {0.0, 0.0009, 0.001, 0.0011, 0.01, 0.05, 0.1, 0.2, 1000.0}) {
      tally.observe(value);
      observed.Observe(value);
    }
    tally.hand_over();
    check_equal(tallied, observed);
  }
  tally.hand_over();
  check_equal(tallied, observed);
}

}  // namespace
}  // namespace yolod::app::observe
