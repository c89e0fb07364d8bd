// What is kept of a block of 8 x 8 pixels, and how the blocks of an MCU follow each other.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "model/image/coarse_jpeg/huffman_code.hpp"

namespace yolod::model::image::coarse {

// Three of a block's coefficients, as the scan has them, in 32 bits: DC's difference from the block before of the same
// colour (0 to 11), the first across (12 to 21) and the first down (22 to 31), the last two without their lost bits.
using Block = std::uint32_t;

inline constexpr int kLimit = 511;

// lost_bits() of the two steps.
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

// Of the coefficients in zigzag order, these are kept; those behind them are passed over.
inline constexpr unsigned kAcross = 1;
inline constexpr unsigned kDown = 2;
inline constexpr unsigned kFirstPassedOver = 3;

struct McuLayout {
  static constexpr std::size_t kMostBlocks = 6;

  std::size_t blocks{0};
  std::array<std::size_t, kMostBlocks> pair{};  // of the scan's tables, by block of the MCU
  std::array<LostBits, kMostBlocks> lost{};
  ScanTables tables;
};

// What lies behind a scan's data, so that reading ahead of its end, by an MCU of the longest blocks at most, reads
// zeros.
inline constexpr std::size_t kSpareBytes = 2048;

}  // namespace yolod::model::image::coarse
