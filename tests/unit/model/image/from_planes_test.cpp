#include "model/image/from_planes.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using namespace yolod::model::image;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("FromPlanes: planes become interleaved BGR, rounded and limited to 0..255", "[model][unit]") {
  const std::vector<float> planes{0, 1, 0.5F, 2, -1, std::numeric_limits<float>::quiet_NaN()};
  const auto pixels = from_planes(planes, {2, 1}, {0, 0, 2, 1}, {0, 1}, false);
  CHECK(pixels.size == Size{2, 1});
  CHECK(pixels.bgr == Bytes{0, 128, 0, 0, 255, 255});
}

TEST_CASE("FromPlanes: the range defines the values of black and white", "[model][unit]") {
  const std::vector<float> planes{-1, 0, 1};
  CHECK(from_planes(planes, {1, 1}, {0, 0, 1, 1}, {-1, 1}, true).bgr == Bytes{0, 128, 255});
  CHECK(from_planes(planes, {1, 1}, {0, 0, 1, 1}, {1, -1}, true).bgr == Bytes{255, 128, 0});
  CHECK(from_planes(std::vector<float>{0, 255, 100}, {1, 1}, {0, 0, 1, 1}, {0, 255}, true).bgr == Bytes{0, 255, 100});
}

TEST_CASE("FromPlanes: the function cuts out the requested part", "[model][unit]") {
  std::vector<float> planes(3 * 4 * 3);
  for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = static_cast<float>(i) / 255;
  const auto pixels = from_planes(planes, {4, 3}, {1, 1, 2, 1}, {0, 1}, true);
  CHECK(pixels.size == Size{2, 1});
  CHECK(pixels.bgr == Bytes{5, 17, 29, 6, 18, 30});
}
