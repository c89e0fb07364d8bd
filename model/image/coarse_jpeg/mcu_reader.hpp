// Reads a scan one MCU at a time, from any bit.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model/image/coarse_jpeg/block.hpp"

namespace yolod::model::image::coarse {

// A code and its value, at a bit of a scan and a position in a block.
struct Symbol {
  unsigned bits;         // the number of bits
  unsigned coefficient;  // the position in the block afterwards; kCoefficients at the block's end
  int value;
  bool valid;  // false: no code matches (16 bits are skipped), or the code leaves the block, which then ends
};

// The slow path for codes that no table of ScanTables resolves in one step. `window` begins with the code and has at
// least 27 valid bits.
[[nodiscard]] Symbol read_symbol(const McuLayout& layout, std::size_t block, unsigned coefficient,
                                 std::uint64_t window);

// Converts eight loaded bytes so that the first byte's bits are the highest.
constexpr std::uint64_t first_bit_highest(std::uint64_t loaded) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(loaded) : loaded;
}

class McuReader {
 public:
  // `bytes` is a scan's data without stuffed zeros, followed by kSpareBytes of zeros. `bytes` and `layout` must
  // outlive this object. `bit` is the start of an MCU, or a guess of it.
  McuReader(const McuLayout& layout, const std::uint8_t* bytes, std::size_t bit);

  // Writes the blocks of the next MCU. Returns false if the MCU is invalid; the reader skips it, always in the same
  // way.
  bool read(Block* blocks);

  // Returns the bit behind the last MCU.
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
  std::uint64_t window_{0};  // its highest valid_bits_ bits come next
  unsigned valid_bits_{0};
};

}  // namespace yolod::model::image::coarse
