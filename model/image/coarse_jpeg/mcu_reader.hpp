// Reads a scan MCU by MCU, from any bit of it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model/image/coarse_jpeg/block.hpp"

namespace yolod::model::image::coarse {

// One code and its value, from one bit of a scan and one place in a block.
struct Symbol {
  unsigned bits;         // how many it takes
  unsigned coefficient;  // where the block stands after it: kCoefficients where it is at its end
  int value;
  bool valid;  // else no code begins there (16 bits are passed over), or it leaves the block: it ends there
};

// The slow way, for what no table of ScanTables tells at once. `window` begins with the code, and holds at least 27
// bits.
[[nodiscard]] Symbol read_symbol(const McuLayout& layout, std::size_t block, unsigned coefficient,
                                 std::uint64_t window);

// Eight bytes as they were loaded, with the first one's bits at the top.
constexpr std::uint64_t first_bit_highest(std::uint64_t loaded) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(loaded) : loaded;
}

class McuReader {
 public:
  // `bytes` is a scan's data without stuffed zeros, with kSpareBytes of zeros behind it; it and `layout` must outlive
  // this. `bit` is where an MCU begins, or is thought to.
  McuReader(const McuLayout& layout, const std::uint8_t* bytes, std::size_t bit);

  // Writes the MCU's blocks. False where it holds what cannot be: it is passed over all the same, always in one way.
  bool read(Block* blocks);

  // The bit behind the last MCU.
  [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(next_ - bytes_) * 8 - valid_bits_; }

 private:
  bool read_block(std::size_t index, Block& block);

  void refill() {
    std::uint64_t bits = 0;
    std::memcpy(&bits, next_, sizeof bits);
    window_ |= first_bit_highest(bits) >> valid_bits_;
    next_ += (63 - valid_bits_) >> 3U;
    valid_bits_ |= 56U;
  }
  void pass(unsigned bits) {
    window_ <<= bits;
    valid_bits_ -= bits;
  }
  Symbol read_slowly(std::size_t index, unsigned coefficient);

  const McuLayout& layout_;
  const std::uint8_t* bytes_;
  const std::uint8_t* next_;
  std::uint64_t window_{0};  // the next valid_bits_ bits, from its highest one down
  unsigned valid_bits_{0};
};

}  // namespace yolod::model::image::coarse
