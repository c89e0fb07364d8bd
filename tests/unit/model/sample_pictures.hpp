// This file makes small pictures in every format and kind that yolod serves. The libraries of the formats encode
// them. Each picture comes with the pixels that a decoder must return.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/image/codec/codecs.hpp"

namespace yolod::tests {

struct SamplePicture {
  std::string name;
  std::string file;
  std::size_t width;
  std::size_t height;
  std::vector<std::uint8_t> bgr;  // the stored pixels, without the EXIF rotation
  int furthest{0};                // the largest allowed difference from `bgr`
};

// Each picture has 61 x 47 pixels.
[[nodiscard]] const std::vector<SamplePicture>& sample_pictures();
[[nodiscard]] std::vector<SamplePicture> make_sample_pictures(std::size_t width, std::size_t height);

[[nodiscard]] inline std::span<const std::byte> bytes_of(const std::string& file) {
  return std::as_bytes(std::span(file.data(), file.size()));
}

// Returns a large picture for each format that takes noticeable time to decode.
[[nodiscard]] std::vector<SamplePicture> large_pictures();

struct JpegKind {
  std::size_t width{61};
  std::size_t height{47};
  int components{3};  // the number of components in the file: 1, 3 or 4
  bool progressive{false};
  bool arithmetic{false};
  bool separate_scans{false};  // the file is sequential and has a scan for each component
  bool as_rgb{false};
  int sampling{2};
  int quality{95};
  int restart_rows{0};
};
[[nodiscard]] std::string make_jpeg(const JpegKind& kind);
// `data` is 8-bit RGB for colour type 2. For other colour types it has the form that libpng expects.
[[nodiscard]] std::string make_png(std::size_t width, std::size_t height, int depth, int colour_type, bool interlaced,
                                   const std::vector<std::uint8_t>& data);
[[nodiscard]] std::string make_webp(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& bgr,
                                    bool lossless);

}  // namespace yolod::tests
