#include "model/image/planes.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
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

TEST_CASE("Planes: values that are not finite become 0, and another size is refused", "[model][unit]") {
  CHECK(interleaved<float>({NAN, INFINITY}, 1, 2) == std::vector<float>{0, 0});
  CHECK(interleaved<std::uint16_t>({0x7C00, 0x7E00}, 1, 2) == std::vector<float>{0, 0});
  std::vector<float> room(6);
  const std::vector<std::byte> bytes(7);
  CHECK(interleave_planes(bytes, 3, room).error().message.find("7 bytes") != std::string::npos);
}

}  // namespace
}  // namespace yolod::model::image
