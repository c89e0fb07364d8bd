#include "model/image/planes.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;

// Returns the value of an IEEE 754 half.
float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10U) & 0x1F;
  const int fraction = half & 0x3FF;
  const float sign = (half & 0x8000U) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 0x1F) return fraction != 0 ? NAN : sign * INFINITY;
  return sign * std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
}

float value_of(float value) { return value; }
float value_of(std::uint16_t half) { return half_to_float(half); }
float value_of(std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; }

template <typename Element>
float finite_value_at(const std::byte* at) {
  Element element{};
  std::memcpy(&element, at, sizeof element);
  const float value = value_of(element);
  return std::isfinite(value) ? value : 0;
}

// Writes pixel after pixel, because a batch is larger than the caches: a pass for each plane would move it three times.
template <typename Element>
void interleave(std::span<const std::byte> planes, std::size_t channels, std::span<float> room) {
  const std::size_t pixels = room.size() / channels;
  const std::size_t plane_bytes = pixels * sizeof(Element);
  float* to = room.data();
  const std::byte* at = planes.data();
  const auto write = [&](auto count) {
    for (std::size_t i = 0; i < pixels; ++i, at += sizeof(Element)) {
      for (std::size_t c = 0; c < count; ++c) *to++ = finite_value_at<Element>(at + c * plane_bytes);
    }
  };
  if (channels == 3) {
    write(std::integral_constant<std::size_t, 3>{});  // the compiler unrolls the inner loop
  } else {
    write(channels);
  }
}

}  // namespace

common::Outcome<void> interleave_planes(std::span<const std::byte> planes, std::size_t channels,
                                        std::span<float> room) {
  if (planes.size() == room.size() * sizeof(float)) {
    interleave<float>(planes, channels, room);
  } else if (planes.size() == room.size() * sizeof(std::uint16_t)) {
    interleave<std::uint16_t>(planes, channels, room);
  } else if (planes.size() == room.size()) {
    interleave<std::uint8_t>(planes, channels, room);
  } else {
    return Error{ErrorCode::kBadRequest, "input 'images' has " + std::to_string(planes.size()) +
                                             " bytes for each picture, which is no tensor of the network's size"};
  }
  return {};
}

}  // namespace yolod::model::image
