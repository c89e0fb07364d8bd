// What a file says of its picture, read from its header by our own code before a library sees the file.
//
// Every byte is hostile: nothing is read past the end, no size is believed without arithmetic that cannot overflow, and
// a file that is certainly too short for what it claims is refused here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/outcome.hpp"

namespace yolod::model::image::codec {

using Bytes = std::span<const std::byte>;

enum class Format { kJpeg, kPng, kWebp, kBmp, kTiff, kPnm };

struct Probe {
  Format format{Format::kJpeg};
  std::uint64_t width{0};  // as stored: orientation not applied; 1 to kMaxSide
  std::uint64_t height{0};
  unsigned channels{3};  // as stored, 1 to 4
  unsigned depth{8};     // bits of one of them, 1 to 16
  int orientation{1};    // EXIF's, 1 to 8
  // Memory that the decoder takes beside the picture itself, which is 3 bytes a pixel.
  std::uint64_t working_bytes{0};
  // What that may become, as only the decoder finds out; less than working_bytes where that is all.
  std::uint64_t possible_bytes{0};

  friend bool operator==(const Probe&, const Probe&) = default;
};

// kInvalidImage for no pixels; kImageTooLarge for a side over kMaxSide, or more than `max_pixels`.
[[nodiscard]] common::Outcome<void> check_size(std::uint64_t width, std::uint64_t height, std::uint64_t max_pixels);

}  // namespace yolod::model::image::codec
