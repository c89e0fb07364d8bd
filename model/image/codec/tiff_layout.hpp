// Reads a TIFF's first directory with yolod's own code. Only files that it has checked reach libtiff.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::tiff {

enum class Colours { kWhiteIsZero, kBlackIsZero, kRgb, kPalette, kCmyk, kYcc };

// Strips are treated as blocks that are as wide as the picture.
struct Layout {
  std::uint64_t width{0};
  std::uint64_t height{0};
  Colours colours{Colours::kBlackIsZero};
  unsigned bits{1};
  unsigned samples{1};
  bool is_planar{false};  // each sample has separate blocks
  bool is_tiled{false};
  unsigned compression{1};
  bool is_jpeg{false};
  int orientation{1};
  std::uint64_t block_width{0};
  std::uint64_t block_height{0};
  std::uint64_t blocks_across{0};
  std::uint64_t blocks_down{0};

  [[nodiscard]] std::size_t planes() const { return is_planar ? samples : 1; }
  [[nodiscard]] std::uint64_t block_row_bytes() const {
    return (block_width * bits * (is_planar ? 1 : samples) + 7) / 8;
  }
  [[nodiscard]] std::uint64_t block_bytes() const { return block_row_bytes() * block_height; }
  // Returns whether the strips are too large to be read whole, and are read row by row.
  [[nodiscard]] bool by_rows() const;

  // Returns the bytes of block `index` of the file.
  [[nodiscard]] Bytes block(Bytes file, std::uint64_t index) const;

  // The arrays of the directory.
  struct Array {
    std::uint64_t at{0};
    std::uint64_t count{0};
    unsigned item_bytes{0};
  };
  Array offsets;
  Array byte_counts;
  bool big_endian{false};
};

inline constexpr std::uint64_t kMostBlockBytes = 64U << 20U;

// Errors: kImageTooLarge; kImageTooComplex for too many entries or too large blocks; kInvalidImage for every other
// file that is not served (tiff.hpp).
[[nodiscard]] common::Outcome<Layout> read_layout(Bytes file, std::uint64_t max_pixels);

}  // namespace yolod::model::image::codec::tiff
