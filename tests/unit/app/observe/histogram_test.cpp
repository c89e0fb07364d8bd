#include "app/observe/histogram.hpp"

#include <catch2/catch.hpp>
#include <cmath>

namespace yolod::app::observe {
namespace {

TEST_CASE("Histogram: a bound counts what is at most it, and the last one everything", "[app][unit]") {
  HistogramFamily family("seconds", "help", {1, 2});
  Histogram& one = family.add({{"model", "m"}});
  for (const double value : {0.5, 1.0, 1.5, 2.0, 7.0}) one.observe(value);
  const auto collected = family.collect();
  REQUIRE(collected.metric.size() == 1);
  const auto& histogram = collected.metric[0].histogram;
  REQUIRE(histogram.bucket.size() == 3);
  CHECK(histogram.bucket[0].upper_bound == 1);
  CHECK(histogram.bucket[0].cumulative_count == 2);
  CHECK(histogram.bucket[1].cumulative_count == 4);
  CHECK(std::isinf(histogram.bucket[2].upper_bound));
  CHECK(histogram.bucket[2].cumulative_count == 5);
  CHECK(histogram.sample_count == 5);
  CHECK(histogram.sample_sum == 12);
}

TEST_CASE("Histogram: the same labels are the same series, others are another", "[app][unit]") {
  HistogramFamily family("seconds", "help", {1});
  Histogram& one = family.add({{"model", "a"}});
  CHECK(&family.add({{"model", "b"}}) != &one);
  CHECK(&family.add({{"model", "a"}}) == &one);
  CHECK(family.collect().metric.size() == 2);
  CHECK(family.collect().name == "seconds");
}

}  // namespace
}  // namespace yolod::app::observe
