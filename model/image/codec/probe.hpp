// The properties of a picture, which yolod's own code reads from the file's header before a library reads the file.
//
// Every byte is hostile: the code never reads past the end, checks every size with arithmetic that cannot overflow,
// and refuses a file that is certainly too short for its claims.
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
  std::uint64_t width{0};  // as stored, without the orientation; 1 to kMaxSide
  std::uint64_t height{0};
  unsigned channels{3};  // as stored, 1 to 4
  unsigned depth{8};     // bits of one sample, 1 to 16
  int orientation{1};    // from EXIF, 1 to 8
  // The memory that the decoder needs beside the picture, which needs 3 bytes a pixel.
  std::uint64_t working_bytes{0};
  // The most memory that the decoder may need, if only the decoder can find that out; otherwise less than
  // working_bytes.
  std::uint64_t possible_bytes{0};

  friend bool operator==(const Probe&, const Probe&) = default;
};

// Returns kInvalidImage for an empty picture, and kImageTooLarge for a side above kMaxSide or more than `max_pixels`.
[[nodiscard]] common::Outcome<void> check_size(std::uint64_t width, std::uint64_t height, std::uint64_t max_pixels);

}  // namespace yolod::model::image::codec
