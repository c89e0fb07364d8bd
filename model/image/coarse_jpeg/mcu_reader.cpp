#include "model/image/coarse_jpeg/mcu_reader.hpp"

namespace yolod::model::image::coarse {
namespace {

constexpr unsigned kWindowWidth = 64;

// Returns the value of the first `size` bits (T.81, F.2.2.1). A value whose bits begin with 0 is negative.
int value_of(std::uint64_t window, unsigned size) {
  const auto bits = static_cast<int>((window >> 1U) >> (kWindowWidth - 1 - size));
  const bool negative = window >> (kWindowWidth - 1) == 0;
  return negative ? bits - ((1 << size) - 1) : bits;
}

std::uint64_t short_index(std::uint64_t window) { return window >> (kWindowWidth - ScanTables::kShortBits); }

std::uint16_t first_sixteen(std::uint64_t window) { return static_cast<std::uint16_t>(window >> (kWindowWidth - 16)); }

}  // namespace

Symbol read_symbol(const McuLayout& layout, std::size_t block, unsigned coefficient, std::uint64_t window) {
  constexpr Symbol kInvalid{HuffmanCode::kLongest, kCoefficients, 0, false};
  const auto pair = layout.pair[block];
  if (coefficient == 0) {
    const auto found = layout.tables.dc_code(pair).find(first_sixteen(window));
    if (!found) return kInvalid;
    return {found->length + found->symbol, 1, value_of(window << found->length, found->symbol), true};
  }
  const auto entry = layout.tables.pair(pair)[ScanTables::kLongAc + first_sixteen(window)];
  if (entry == 0) return kInvalid;
  if (advance_of(entry) == kEndOfBlock) return {bits_of(entry), kCoefficients, 0, true};
  const auto after = coefficient + advance_of(entry);
  const int value = value_of(window << (bits_of(entry) - size_of(entry)), size_of(entry));
  return {bits_of(entry), std::min(after, kCoefficients), value, after <= kCoefficients};
}

McuReader::McuReader(const McuLayout& layout, const std::uint8_t* bytes, std::size_t bit)
    : layout_(layout), bytes_(bytes), next_(bytes + bit / 8) {
  refill();
  pass(bit % 8);
}

bool McuReader::read(Block* blocks) {
  bool valid = true;
  for (std::size_t i = 0; i < layout_.blocks; ++i) valid = read_block(i, blocks[i]) && valid;
  return valid;
}

Symbol McuReader::read_slowly(std::size_t index, unsigned coefficient) {
  refill();
  const auto symbol = read_symbol(layout_, index, coefficient, window_);
  pass(symbol.bits);
  return symbol;
}

bool McuReader::read_block(std::size_t index, Block& block) {
  const auto* const tables = layout_.tables.pair(layout_.pair[index]);
  bool valid = true;
  unsigned coefficient = 0;
  int values[kFirstPassedOver] = {};
  const Entry* table = tables + ScanTables::kDc;
  while (coefficient < kFirstPassedOver) {
    refill();
    const auto entry = table[short_index(window_)];
    table = tables + ScanTables::kAc;
    Symbol symbol{bits_of(entry), coefficient + advance_of(entry), 0, true};
    if (entry == 0 || goes_too_far(symbol.coefficient)) [[unlikely]] {
      symbol = read_slowly(index, coefficient);
      valid = valid && symbol.valid;
    } else {
      symbol.value = value_of(window_ << (symbol.bits - size_of(entry)), size_of(entry));
      pass(symbol.bits);
    }
    coefficient = symbol.coefficient;
    if (coefficient - 1 < kFirstPassedOver) values[coefficient - 1] = symbol.value;
  }
  block = pack(values[0], values[kAcross], values[kDown], layout_.lost[index]);
  const Entry* const many = tables + ScanTables::kSeveral;
  while (coefficient < kCoefficients) {
    refill();
    // Two steps fit into one window, because each takes at most 21 bits.
    for (int i = 0; i < 2; ++i) {
      const auto entry = many[short_index(window_)];
      const auto after = coefficient + advance_of(entry);
      if (entry == 0 || goes_too_far(after)) [[unlikely]] {
        const auto symbol = read_slowly(index, coefficient);
        valid = valid && symbol.valid;
        coefficient = symbol.coefficient;
        break;
      }
      pass(bits_of(entry));
      coefficient = after;
      if (coefficient >= kCoefficients) break;
    }
  }
  return valid;
}

}  // namespace yolod::model::image::coarse
