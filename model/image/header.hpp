// What an image file says of itself, read from its first bytes: format and dimensions, before any decoder sees it.
// Needs no library. Every byte is hostile: nothing is read past the end, no size is believed without arithmetic that
// cannot overflow, and a file that is certainly too short for what it claims is refused here.
//
// Sources: JPEG ITU T.81 annex B; PNG W3C recommendation 11.2.2; WebP RFC 9649; BMP as in Microsoft's BITMAPINFOHEADER;
// TIFF 6.0; PNM as in Netpbm's pbm(5), pgm(5), ppm(5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/outcome.hpp"

namespace yolod::model::image {

enum class Format { kJpeg, kPng, kWebp, kBmp, kTiff, kPnm };

struct Header {
  Format format{Format::kJpeg};
  std::uint64_t width{0};  // as stored: EXIF orientation not applied
  std::uint64_t height{0};

  friend bool operator==(const Header&, const Header&) = default;
};

// The format that the first bytes name, if it is one of those served.
[[nodiscard]] std::optional<Format> format_of(std::span<const std::byte> file);

// Errors: kUnsupportedMediaType for another format; kImageTooLarge for more than `max_pixels`; kInvalidImage for a
// header that is cut short, contradicts itself, or claims more than the file can hold.
[[nodiscard]] common::Outcome<Header> read_header(std::span<const std::byte> file, std::uint64_t max_pixels);

}  // namespace yolod::model::image
