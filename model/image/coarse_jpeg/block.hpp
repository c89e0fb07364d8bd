// The data that is kept of a block of 8 x 8 pixels, and the order of the blocks in an MCU.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "model/image/coarse_jpeg/huffman_code.hpp"

namespace yolod::model::image::coarse {

// A block holds three coefficients, as in the scan, in 32 bits. Bits 0 to 11 are DC's difference from the previous
// block of the same colour. Bits 12 to 21 are the first horizontal coefficient, and bits 22 to 31 the first vertical
// coefficient; both lack their lost_bits().
using Block = std::uint32_t;

inline constexpr int kLimit = 511;

// The lost_bits() of the two coefficients.
struct LostBits {
  unsigned across{0};
  unsigned down{0};
};

constexpr Block pack(int dc, int across, int down, LostBits lost) {
  const auto kept = [](int value, unsigned bits) {
    return static_cast<Block>(std::clamp(value >> bits, -kLimit, kLimit));
  };
  return (static_cast<Block>(dc) & 0xFFFU) | (kept(across, lost.across) & 0x3FFU) << 12U | kept(down, lost.down) << 22U;
}

constexpr int dc_difference(Block block) { return static_cast<std::int32_t>(block << 20U) >> 20; }
constexpr int across(Block block) { return static_cast<std::int32_t>(block << 10U) >> 22; }
constexpr int down(Block block) { return static_cast<std::int32_t>(block) >> 22; }

// The indices, in zigzag order, of the coefficients that are kept; the others are skipped.
inline constexpr unsigned kAcross = 1;
inline constexpr unsigned kDown = 2;
inline constexpr unsigned kFirstPassedOver = 3;

struct McuLayout {
  static constexpr std::size_t kMostBlocks = 6;

  std::size_t blocks{0};
  std::array<std::size_t, kMostBlocks> pair{};  // the index of the scan's table pair, for each block of the MCU
  std::array<LostBits, kMostBlocks> lost{};
  ScanTables tables;
};

// The zeros behind a scan's data. A reader may read beyond the end by at most one MCU of the longest blocks.
inline constexpr std::size_t kSpareBytes = 2048;

}  // namespace yolod::model::image::coarse
