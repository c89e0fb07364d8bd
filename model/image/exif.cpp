#include "model/image/exif.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace yolod::model::image {

int exif_orientation(std::span<const std::uint8_t> app1) {
  constexpr std::array<std::uint8_t, 6> kExif{'E', 'x', 'i', 'f', 0, 0};
  if (app1.size() < kExif.size() || !std::equal(kExif.begin(), kExif.end(), app1.begin())) return 1;
  return tiff_orientation(app1.subspan(kExif.size()));
}

int tiff_orientation(std::span<const std::uint8_t> tiff) {
  constexpr std::size_t kEntryBytes = 12;
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return 1;
  // REQUIRES: the bytes exist.
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | tiff[little ? at + bytes - 1 - i : at + i];
    return value;
  };
  const auto directory = number(4, 4);
  if (number(2, 2) != 42 || directory > tiff.size() - 2) return 1;
  const auto count = std::min(number(directory, 2), (tiff.size() - directory - 2) / kEntryBytes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = directory + 2 + i * kEntryBytes;
    constexpr std::size_t kOrientation = 0x0112;
    if (number(entry, 2) != kOrientation) continue;
    // The standard requires a SHORT, but some programs write a BYTE or a LONG, and other readers accept them.
    constexpr std::array<std::size_t, 5> kBytesOfType{0, 1, 0, 2, 4};
    const auto type = number(entry + 2, 2);
    const auto bytes = type < kBytesOfType.size() ? kBytesOfType[type] : 0;
    const auto value = number(entry + 8, bytes);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace yolod::model::image
