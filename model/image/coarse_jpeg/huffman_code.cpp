#include "model/image/coarse_jpeg/huffman_code.hpp"

#include <algorithm>

namespace yolod::model::image::coarse {
namespace {

constexpr unsigned kSizeMask = 15;
constexpr unsigned kRunShift = 4;
constexpr std::uint8_t kSixteenZeros = 0xF0;

constexpr Entry entry_of(unsigned bits, unsigned size, unsigned advance) { return bits | size << 5U | advance << 16U; }

Entry dc_entry(unsigned length, std::uint8_t symbol) { return entry_of(length + symbol, symbol, 1); }

Entry ac_entry(unsigned length, std::uint8_t symbol) {
  const unsigned size = symbol & kSizeMask;
  if (symbol == 0) return entry_of(length, 0, kEndOfBlock);
  return entry_of(length + size, size, (symbol >> kRunShift) + 1U);
}

// Calls `visit` with each code, its length and its symbol; short codes come first.
template <typename Visit>
void for_each_code(const HuffmanCode& code, Visit&& visit) {
  unsigned bits = 0;
  std::size_t next = 0;
  for (unsigned length = 1; length <= HuffmanCode::kLongest; ++length, bits <<= 1U) {
    for (unsigned i = 0; i < code.counts[length]; ++i, ++bits, ++next) visit(bits, length, code.symbols[next]);
  }
}

// Fills every entry whose index begins with a code with that code's entry.
template <typename ToEntry>
void fill(std::span<Entry> table, unsigned index_bits, const HuffmanCode& code, ToEntry&& to_entry) {
  for_each_code(code, [&](unsigned bits, unsigned length, std::uint8_t symbol) {
    if (length > index_bits) return;
    const auto first = static_cast<std::size_t>(bits) << (index_bits - length);
    std::fill_n(table.begin() + static_cast<std::ptrdiff_t>(first), std::size_t{1} << (index_bits - length),
                to_entry(length, symbol));
  });
}

// Combines as many symbols as the bits of an index contain. The value bits of the last symbol may lie behind these
// bits.
Entry many_entry(std::span<const Entry> single, std::span<const std::uint8_t> code_lengths, std::size_t index) {
  constexpr auto kBits = ScanTables::kShortBits;
  constexpr auto kMask = ScanTables::kShortEntries - 1;
  unsigned used = 0;
  unsigned advance = 0;
  while (used < kBits) {
    const auto rest = (index << used) & kMask;
    const auto entry = single[rest];
    if (entry == 0 || code_lengths[rest] > kBits - used) break;
    const bool ends = advance_of(entry) == kEndOfBlock;
    if (!ends && advance + advance_of(entry) >= kCoefficients) break;
    used += bits_of(entry);
    advance += advance_of(entry);
    if (ends) break;
  }
  return used == 0 ? 0 : entry_of(used, 0, advance);
}

}  // namespace

std::optional<HuffmanCode::Found> HuffmanCode::find(std::uint16_t bits) const {
  unsigned first = 0;
  std::size_t before = 0;
  for (unsigned length = 1; length <= kLongest; ++length, first <<= 1U) {
    const auto code = static_cast<unsigned>(bits) >> (kLongest - length);
    if (code >= first && code - first < counts[length]) return Found{length, symbols[before + code - first]};
    first += counts[length];
    before += counts[length];
  }
  return std::nullopt;
}

bool HuffmanCode::is_sound() const {
  std::size_t taken = 0;  // of 2^16
  std::size_t total = 0;
  for (unsigned length = 1; length <= kLongest; ++length) {
    taken += std::size_t{counts[length]} << (kLongest - length);
    total += counts[length];
  }
  return total > 0 && total <= symbols.size() && taken < std::size_t{1} << kLongest;
}

bool HuffmanCode::has_dc_symbols() const {
  constexpr unsigned kMostBits = 11;
  bool all = true;
  for_each_code(*this, [&](unsigned, unsigned, std::uint8_t symbol) { all = all && symbol <= kMostBits; });
  return all;
}

bool HuffmanCode::has_ac_symbols() const {
  constexpr unsigned kMostBits = 10;
  bool all = true;
  for_each_code(*this, [&](unsigned, unsigned, std::uint8_t symbol) {
    const unsigned size = symbol & kSizeMask;
    all = all && size <= kMostBits && (size > 0 || symbol == 0 || symbol == kSixteenZeros);
  });
  return all;
}

void ScanTables::add(const HuffmanCode& dc, const HuffmanCode& ac) {
  const auto begin = entries_.size();
  entries_.resize(begin + kEntriesOfPair);
  const std::span<Entry> all(entries_.data() + begin, kEntriesOfPair);
  fill(all.subspan(kDc, kShortEntries), kShortBits, dc, dc_entry);
  const auto single = all.subspan(kAc, kShortEntries);
  fill(single, kShortBits, ac, ac_entry);
  fill(all.subspan(kLongAc, kLongEntries), HuffmanCode::kLongest, ac, ac_entry);
  std::vector<std::uint8_t> lengths(kShortEntries);
  for (std::size_t i = 0; i < kShortEntries; ++i) {
    lengths[i] = static_cast<std::uint8_t>(bits_of(single[i]) - size_of(single[i]));
  }
  const auto many = all.subspan(kSeveral, kShortEntries);
  for (std::size_t i = 0; i < kShortEntries; ++i) many[i] = many_entry(single, lengths, i);
  dc_codes_.push_back(dc);
}

}  // namespace yolod::model::image::coarse
