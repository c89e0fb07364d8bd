#include "model/image/planes.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace yolod::model::image {
namespace {

template <typename Element>
std::vector<float> interleaved(const std::vector<Element>& planes, std::size_t channels, std::size_t count) {
  std::vector<float> room(count);
  REQUIRE(interleave_planes(std::as_bytes(std::span(planes)), channels, room));
  return room;
}

TEST_CASE("Planes: the channels of FP32, FP16 and UINT8 are interleaved", "[model][unit]") {
  CHECK(interleaved<float>({1, 2, 3, 4, 5, 6}, 3, 6) == std::vector<float>{1, 3, 5, 2, 4, 6});
  // The numbers are 1, -2, the largest half and the smallest half.
  CHECK(interleaved<std::uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0001}, 1, 4) ==
        std::vector<float>{1, -2, 65504, std::ldexp(1.0F, -24)});
  CHECK(interleaved<std::uint8_t>({0, 255, 51, 102}, 2, 4) == std::vector<float>{0, 0.2F, 1, 0.4F});
}

TEST_CASE("Planes: three channels of each type are interleaved from any address", "[model][unit]") {
  const auto check = [](const auto& planes, const std::vector<float>& expected) {
    const auto bytes = std::as_bytes(std::span(planes));
    std::vector<std::byte> shifted(bytes.size() + 1);
    std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
    std::vector<float> room(expected.size());
    REQUIRE(interleave_planes(std::span(shifted).subspan(1), 3, room));
    CHECK(room == expected);
  };
  check(std::vector<float>{1, NAN, 3, 4, -INFINITY, 6}, {1, 3, 0, 0, 4, 6});
  check(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x7C00, 0x3C00, 0xC000, 0x7E00}, {1, 0, -2, -2, 1, 0});
  check(std::vector<std::uint8_t>{0, 255, 51, 102, 255, 0}, {0, 0.2F, 1, 1, 0.4F, 0});
}

TEST_CASE("Planes: every pixel of three planes gets its place, and every number that is not finite becomes 0",
          "[model][unit]") {
  constexpr float kNan = NAN;
  const std::vector<float> kinds{1, -0.0F, kNan, INFINITY, -INFINITY, -kNan, 1e-40F, 3.4e38F, -2};
  for (std::size_t pixels = 1; pixels < 24; ++pixels) {
    CAPTURE(pixels);
    std::vector<float> planes(3 * pixels);
    for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = kinds[i % kinds.size()];
    std::vector<float> expected;
    for (std::size_t i = 0; i < planes.size(); ++i) {
      const float value = planes[i % 3 * pixels + i / 3];
      expected.push_back(std::isfinite(value) ? value : 0);
    }
    CHECK(interleaved<float>(planes, 3, planes.size()) == expected);
  }
}

TEST_CASE("Planes: every half has its value", "[model][unit]") {
  std::vector<std::uint16_t> halves(1U << 16U);
  std::iota(halves.begin(), halves.end(), std::uint16_t{0});
  const auto values = interleaved<std::uint16_t>(halves, 1, halves.size());
  for (const std::uint16_t half : halves) {
    const int exponent = half >> 10U & 0x1F;
    const int fraction = half & 0x3FF;
    const double size = exponent == 0x1F ? 0
                        : exponent == 0  ? std::ldexp(fraction, -24)
                                         : std::ldexp(fraction + 1024, exponent - 25);
    const double value = (half & 0x8000U) != 0 ? -size : size;
    if (static_cast<double>(values[half]) != value) FAIL("the half " << half << " became " << values[half]);
  }
}

TEST_CASE("Planes: values that are not finite become 0, and another size is refused", "[model][unit]") {
  CHECK(interleaved<float>({NAN, INFINITY}, 1, 2) == std::vector<float>{0, 0});
  CHECK(interleaved<std::uint16_t>({0x7C00, 0x7E00}, 1, 2) == std::vector<float>{0, 0});
  std::vector<float> room(6);
  const std::vector<std::byte> bytes(7);
  CHECK(interleave_planes(bytes, 3, room).error().message.find("7 bytes") != std::string::npos);
}

}  // namespace
}  // namespace yolod::model::image
