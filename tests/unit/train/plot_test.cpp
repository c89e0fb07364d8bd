#include "tools/train/plot.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

using namespace yolod::train;
using Catch::Matchers::Contains;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("Plot: without measurements the plot is an empty frame", "[train][unit]") {
  const auto svg = plot_svg({}, "a <b> & c");
  CHECK_THAT(svg, Catch::StartsWith("<svg ") && Catch::EndsWith("</svg>\n"));
  CHECK_THAT(svg, Contains("a &lt;b&gt; &amp; c"));
  CHECK(count_of(svg, "<polyline") == 0);
}

TEST_CASE("Plot: loss, AP50 and AP50:95 each have a line over the measured steps", "[train][unit]") {
  std::vector<CurvePoint> points;
  points.push_back({0, 0, {}, 0.2, 0.1});
  points.push_back({1, 50, 4.0, {}, {}});
  points.push_back({1, 75, std::numeric_limits<double>::quiet_NaN(), {}, {}});
  points.push_back({2, 100, 2.0, 1.0, 0.5});
  const auto svg = plot_svg(points, "run");
  CHECK(count_of(svg, "<polyline") == 3);
  // The loss was measured at half of the steps. The AP50 of 1 at the end lies in the upper right corner.
  CHECK_THAT(svg, Contains("points=\"400.0,") && Contains("730.0,50.0\""));
  CHECK(count_of(svg, "nan") == 0);
}

TEST_CASE("Plot: one point is a dot", "[train][unit]") {
  const std::vector<CurvePoint> points{{1, 10, 3.0, {}, {}}};
  const auto svg = plot_svg(points, "run");
  CHECK(count_of(svg, "<circle") == 1);
  CHECK(count_of(svg, "<polyline") == 0);
}
