// One Huffman code of a JPEG, and the tables by which a scan is read (ITU-T T.81, annexes C and F).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace yolod::model::image::coarse {

// As a DHT segment has it: how many codes of each length, and their symbols in order.
struct HuffmanCode {
  static constexpr unsigned kLongest = 16;

  std::array<std::uint8_t, kLongest + 1> counts{};  // by length, from 1
  std::array<std::uint8_t, 256> symbols{};

  struct Found {
    unsigned length;
    std::uint8_t symbol;
  };
  // Of the code with which these 16 bits begin; nothing if none does.
  [[nodiscard]] std::optional<Found> find(std::uint16_t bits) const;
  // False where more codes of a length are asked for than there are; the one of ones alone is none (T.81, C.2).
  [[nodiscard]] bool is_sound() const;
  // Symbols that a baseline scan may hold: for DC a size of at most 11, for AC a run and a size of at most 10.
  [[nodiscard]] bool has_dc_symbols() const;
  [[nodiscard]] bool has_ac_symbols() const;
};

// What the next bits of a scan are, in 32 bits: how many they are (0 to 4), of those the last so many are a value's (5
// to 8), and how many coefficients that is (16 to 23), with kEndOfBlock where the block ends there. 0: not told here.
using Entry = std::uint32_t;

inline constexpr unsigned kEndOfBlock = 128;
inline constexpr unsigned kCoefficients = 64;

constexpr unsigned bits_of(Entry entry) { return entry & 31U; }
constexpr unsigned size_of(Entry entry) { return (entry >> 5U) & 15U; }
constexpr unsigned advance_of(Entry entry) { return entry >> 16U; }

// Where a block stands after `advance` from a coefficient below kCoefficients: a block that ends without saying so has
// all its coefficients.
constexpr bool goes_too_far(unsigned coefficient) {
  return (coefficient > kCoefficients && coefficient < kEndOfBlock) || coefficient >= kEndOfBlock + kCoefficients;
}

// Of each pair of codes that a scan uses, in one array, as a processor's gather instructions want it: `dc`, `ac` and
// `many` by the next kShortBits bits, `long_ac` by the next 16. `ac` is of one symbol, `many` of as many as those bits
// hold whole; their values are not kept, so that a block's rest is passed over in few steps.
class ScanTables {
 public:
  static constexpr unsigned kShortBits = 11;
  static constexpr std::size_t kShortEntries = std::size_t{1} << kShortBits;
  static constexpr std::size_t kLongEntries = std::size_t{1} << HuffmanCode::kLongest;
  static constexpr std::size_t kEntriesOfPair = 3 * kShortEntries + kLongEntries;
  static constexpr std::size_t kDc = 0;
  static constexpr std::size_t kAc = kShortEntries;
  static constexpr std::size_t kMany = 2 * kShortEntries;
  static constexpr std::size_t kLongAc = 3 * kShortEntries;

  void add(const HuffmanCode& dc, const HuffmanCode& ac);

  [[nodiscard]] const Entry* pair(std::size_t index) const { return entries_.data() + index * kEntriesOfPair; }
  [[nodiscard]] const HuffmanCode& dc_code(std::size_t index) const { return dc_codes_[index]; }

 private:
  std::vector<Entry> entries_;
  std::vector<HuffmanCode> dc_codes_;
};

}  // namespace yolod::model::image::coarse
