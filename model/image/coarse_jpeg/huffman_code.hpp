// A Huffman code of a JPEG, and the tables for reading a scan (ITU-T T.81, annexes C and F).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace yolod::model::image::coarse {

// The content of a DHT segment: the number of codes of each length, and their symbols in order.
struct HuffmanCode {
  static constexpr unsigned kLongest = 16;

  std::array<std::uint8_t, kLongest + 1> counts{};  // indexed by length, from 1
  std::array<std::uint8_t, 256> symbols{};

  struct Found {
    unsigned length;
    std::uint8_t symbol;
  };
  // Returns the code at the start of these 16 bits, or nullopt if no code matches.
  [[nodiscard]] std::optional<Found> find(std::uint16_t bits) const;
  // Returns false if the segment asks for more codes of a length than exist. The code of all ones must not be used
  // (T.81, C.2).
  [[nodiscard]] bool is_sound() const;
  // Return whether a baseline scan may contain all symbols: for DC a size of at most 11, for AC a run and a size of
  // at most 10.
  [[nodiscard]] bool has_dc_symbols() const;
  [[nodiscard]] bool has_ac_symbols() const;
};

// Describes the next bits of a scan. Bits 0 to 4 of the entry count these bits. Bits 5 to 8 count how many of them,
// at the end, are a value. Bits 16 to 23 count the coefficients, and include kEndOfBlock if the block ends there. 0
// means that this table does not know the bits.
using Entry = std::uint32_t;

inline constexpr unsigned kEndOfBlock = 128;
inline constexpr unsigned kCoefficients = 64;

constexpr unsigned bits_of(Entry entry) { return entry & 31U; }
constexpr unsigned size_of(Entry entry) { return (entry >> 5U) & 15U; }
constexpr unsigned advance_of(Entry entry) { return entry >> 16U; }

// Returns whether `advance` from a coefficient below kCoefficients leaves the block. A block that ends without an end
// code has all of its coefficients.
constexpr bool goes_too_far(unsigned coefficient) {
  return (coefficient > kCoefficients && coefficient < kEndOfBlock) || coefficient >= kEndOfBlock + kCoefficients;
}

// The tables of each pair of codes in a scan, in one array, as the processor's gather instructions need it. `dc`,
// `ac` and `many` are indexed by the next kShortBits bits, `long_ac` by the next 16. An entry of `ac` is a single
// symbol. An entry of `many` is all symbols that fit completely into the index; it has no values, so it skips the
// rest of a block in few steps.
class ScanTables {
 public:
  static constexpr unsigned kShortBits = 11;
  static constexpr std::size_t kShortEntries = std::size_t{1} << kShortBits;
  static constexpr std::size_t kLongEntries = std::size_t{1} << HuffmanCode::kLongest;
  static constexpr std::size_t kEntriesOfPair = 3 * kShortEntries + kLongEntries;
  static constexpr std::size_t kDc = 0;
  static constexpr std::size_t kAc = kShortEntries;
  static constexpr std::size_t kSeveral = 2 * kShortEntries;
  static constexpr std::size_t kLongAc = 3 * kShortEntries;

  void add(const HuffmanCode& dc, const HuffmanCode& ac);

  [[nodiscard]] const Entry* pair(std::size_t index) const { return entries_.data() + index * kEntriesOfPair; }
  [[nodiscard]] const HuffmanCode& dc_code(std::size_t index) const { return dc_codes_[index]; }

 private:
  std::vector<Entry> entries_;
  std::vector<HuffmanCode> dc_codes_;
};

}  // namespace yolod::model::image::coarse
