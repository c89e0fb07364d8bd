#include "model/image/planes.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;

// Returns the value of an IEEE 754 half. Its exponent has 5 bits and a bias of 15, a float's 8 bits and a bias of 127.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) return std::copysign(static_cast<float>(fraction) * 0x1p-24F, std::bit_cast<float>(sign | 1U));
  const std::uint32_t as_float = exponent == 0x1FU ? 0xFFU : exponent + 127 - 15;
  return std::bit_cast<float>(sign | as_float << 23U | fraction << 13U);
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

// This type has four numbers of 32 bits. Compilers translate the operations to the vector instructions of each processor.
using FourBits = std::uint32_t __attribute__((vector_size(16)));

FourBits load_four(const std::byte* at) {
  FourBits four{};
  std::memcpy(&four, at, sizeof four);
  return four;
}

// Replaces infinities and NaN, whose exponents have all bits, by 0.
FourBits finite(FourBits floats) {
  constexpr std::uint32_t kExponent = 0x7F80'0000;
  return floats & static_cast<FourBits>((floats & kExponent) != kExponent);
}

// Writes the pixels of three planes of floats, four at a time. Returns how many pixels it has written.
std::size_t interleave_fours(const std::byte* planes, std::size_t pixels, float* to) {
  const std::size_t plane_bytes = pixels * sizeof(float);
  std::size_t i = 0;
  for (; i + 4 <= pixels; i += 4, planes += sizeof(FourBits), to += 12) {
    const FourBits a = finite(load_four(planes));
    const FourBits b = finite(load_four(planes + plane_bytes));
    const FourBits c = finite(load_four(planes + 2 * plane_bytes));
    const FourBits first = __builtin_shufflevector(__builtin_shufflevector(a, b, 0, 4, 1, 5), c, 0, 1, 4, 2);
    const FourBits second = __builtin_shufflevector(__builtin_shufflevector(b, c, 1, 5, 2, 6), a, 0, 1, 6, 2);
    const FourBits third = __builtin_shufflevector(__builtin_shufflevector(c, a, 2, 7, 3, 3), b, 0, 1, 7, 2);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + 4, &second, sizeof second);
    std::memcpy(to + 8, &third, sizeof third);
  }
  return i;
}

// Writes pixel after pixel, because a batch is larger than the caches: a pass for each plane would move it three times.
template <typename Element>
void interleave(std::span<const std::byte> planes, std::size_t channels, std::span<float> room) {
  const std::size_t pixels = room.size() / channels;
  const std::size_t plane_bytes = pixels * sizeof(Element);
  std::size_t begin = 0;
  if constexpr (std::is_same_v<Element, float>) {
    if (channels == 3) begin = interleave_fours(planes.data(), pixels, room.data());
  }
  float* to = room.data() + begin * channels;
  const std::byte* at = planes.data() + begin * sizeof(Element);
  const auto write = [&](auto count) {
    for (std::size_t i = begin; i < pixels; ++i, at += sizeof(Element)) {
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
