#include "model/image/coarse_jpeg/lanes.hpp"

#if defined(__x86_64__)

// GCC 12 warns about registers that its own header leaves uninitialised on purpose (GCC bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <array>
#include <cstring>

#include "model/image/coarse_jpeg/mcu_reader.hpp"

// Only the functions of this file may use these instructions; all others must run on processors without them.
#define YOLOD_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
#define YOLOD_AVX512_INLINE __attribute__((target("avx512f,avx512bw,avx512vl"), always_inline)) inline

namespace yolod::model::image::coarse {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kNoPart = static_cast<std::size_t>(-1);
// A lane loads 32 bits from a byte; up to seven of them may lie before the lane's position.
constexpr unsigned kWindowBits = 25;

struct alignas(64) Numbers {
  std::array<std::uint32_t, kLanes> of{};
};

// The state of a group's lanes, as plain values, so that the compiler can keep them in registers.
struct Lanes {
  __m512i bit;          // the read position
  __m512i coefficient;  // the position in the block
  __m512i index;        // the index of the block in its MCU
  __m512i block;        // where the block will be written
  __m512i end_bit;
  __m512i last_block;  // no MCU begins at or behind it
  __m512i dc;
  __m512i across;
  __m512i down;
  __mmask16 active;
};

// The index of each member is the block of the MCU.
struct Tables {
  __m512i short_entries;  // the first entry of the table pair
  __m512i long_entries;
  __m512i next_index;
  __m512i lost_across;
  __m512i lost_down;
  const int* entries;
};

YOLOD_AVX512_INLINE __m512i all(unsigned value) { return _mm512_set1_epi32(static_cast<int>(value)); }
YOLOD_AVX512_INLINE __m512i load(const Numbers& numbers) { return _mm512_load_si512(numbers.of.data()); }
YOLOD_AVX512_INLINE Numbers store(__m512i vector) {
  Numbers numbers;
  _mm512_store_si512(numbers.of.data(), vector);
  return numbers;
}

// Applies goes_too_far() to every lane.
YOLOD_AVX512_INLINE __mmask16 too_far(__m512i coefficient) {
  const auto beyond = _mm512_sub_epi32(coefficient, all(kCoefficients + 1));
  return _mm512_cmplt_epu32_mask(beyond, all(kEndOfBlock - kCoefficients - 1)) |
         _mm512_cmpge_epu32_mask(coefficient, all(kEndOfBlock + kCoefficients));
}

// Returns the values in the last bits that the entries take from the windows.
YOLOD_AVX512_INLINE __m512i values(__m512i window, __m512i entry, __m512i bits) {
  const auto size = _mm512_and_si512(_mm512_srli_epi32(entry, 5), all(15));
  const auto power = _mm512_sllv_epi32(all(1), size);
  const auto mask = _mm512_sub_epi32(power, all(1));
  const auto value = _mm512_and_si512(_mm512_srlv_epi32(window, _mm512_sub_epi32(all(32), bits)), mask);
  const auto negative = _mm512_cmplt_epu32_mask(value, _mm512_srli_epi32(power, 1));
  return _mm512_mask_sub_epi32(value, negative, value, mask);
}

class PartsReader {
 public:
  YOLOD_AVX512 PartsReader(const McuLayout& layout, const std::uint8_t* bytes, std::span<Part> parts, Block* blocks)
      : layout_(layout), bytes_(bytes), parts_(parts), blocks_(blocks) {
    Numbers short_entries;
    Numbers long_entries;
    Numbers next_index;
    Numbers lost_across;
    Numbers lost_down;
    for (std::size_t i = 0; i < layout.blocks; ++i) {
      const auto first = layout.pair[i] * ScanTables::kEntriesOfPair;
      short_entries.of[i] = static_cast<std::uint32_t>(first);
      long_entries.of[i] = static_cast<std::uint32_t>(first + ScanTables::kLongAc);
      next_index.of[i] = static_cast<std::uint32_t>((i + 1) % layout.blocks);
      lost_across.of[i] = layout.lost[i].across;
      lost_down.of[i] = layout.lost[i].down;
    }
    tables_ = {load(short_entries), load(long_entries), load(next_index),
               load(lost_across),   load(lost_down),    reinterpret_cast<const int*>(layout.tables.pair(0))};
  }

  // Runs two groups in turn: one computes while the other waits for its loads.
  YOLOD_AVX512 void run() {
    Lanes first = begin(0);
    Lanes second = begin(1);
    while ((first.active | second.active) != 0) {
      step(first, 0);
      step(second, 1);
    }
  }

 private:
  YOLOD_AVX512 Lanes begin(std::size_t group) {
    Lanes lanes{};
    part_of_[group].fill(kNoPart);
    take_parts(lanes, group, 0xFFFF);
    return lanes;
  }

  // Advances every active lane by one table entry.
  YOLOD_AVX512_INLINE void step(Lanes& lanes, std::size_t group) {
    const auto reversed = _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
    const auto loaded = _mm512_i32gather_epi32(_mm512_srli_epi32(lanes.bit, 3), bytes_, 1);
    const auto window = _mm512_sllv_epi32(_mm512_shuffle_epi8(loaded, reversed), _mm512_and_si512(lanes.bit, all(7)));

    auto table = _mm512_permutexvar_epi32(lanes.index, tables_.short_entries);
    const auto is_ac = _mm512_test_epi32_mask(lanes.coefficient, lanes.coefficient);
    const auto is_passed_over = _mm512_cmpge_epu32_mask(lanes.coefficient, all(kFirstPassedOver));
    table = _mm512_mask_add_epi32(table, is_ac, table, all(ScanTables::kAc - ScanTables::kDc));
    table = _mm512_mask_add_epi32(table, is_passed_over, table, all(ScanTables::kSeveral - ScanTables::kAc));
    const auto at = _mm512_add_epi32(table, _mm512_srli_epi32(window, 32 - ScanTables::kShortBits));
    const auto entry = _mm512_i32gather_epi32(at, tables_.entries, 4);

    const auto bits = _mm512_and_si512(entry, all(31));
    auto bit = _mm512_add_epi32(lanes.bit, bits);
    auto coefficient = _mm512_add_epi32(lanes.coefficient, _mm512_srli_epi32(entry, 16));
    auto value = values(window, entry, bits);
    const auto untold =
        static_cast<__mmask16>(lanes.active & (_mm512_testn_epi32_mask(entry, entry) | too_far(coefficient)));
    if (untold != 0) [[unlikely]]
      look_closer(untold, lanes, group, window, bit, coefficient, value);

    lanes.dc = _mm512_mask_mov_epi32(lanes.dc, _mm512_cmpeq_epi32_mask(coefficient, all(1)), value);
    lanes.across = _mm512_mask_mov_epi32(lanes.across, _mm512_cmpeq_epi32_mask(coefficient, all(1 + kAcross)), value);
    lanes.down = _mm512_mask_mov_epi32(lanes.down, _mm512_cmpeq_epi32_mask(coefficient, all(1 + kDown)), value);
    lanes.bit = _mm512_mask_mov_epi32(lanes.bit, lanes.active, bit);
    lanes.coefficient = _mm512_mask_mov_epi32(lanes.coefficient, lanes.active, coefficient);
    const auto done = _mm512_mask_cmpge_epu32_mask(lanes.active, coefficient, all(kCoefficients));
    if (done != 0) finish_blocks(done, lanes, group);
  }

  YOLOD_AVX512_INLINE void finish_blocks(__mmask16 done, Lanes& lanes, std::size_t group) {
    // Applies pack() to every lane.
    const auto least = _mm512_set1_epi32(-kLimit);
    const auto most = _mm512_set1_epi32(kLimit);
    const auto lost_across = _mm512_permutexvar_epi32(lanes.index, tables_.lost_across);
    const auto lost_down = _mm512_permutexvar_epi32(lanes.index, tables_.lost_down);
    const auto across = _mm512_max_epi32(_mm512_min_epi32(_mm512_srav_epi32(lanes.across, lost_across), most), least);
    const auto down = _mm512_max_epi32(_mm512_min_epi32(_mm512_srav_epi32(lanes.down, lost_down), most), least);
    const auto low = _mm512_or_si512(_mm512_and_si512(lanes.dc, all(0xFFF)),
                                     _mm512_slli_epi32(_mm512_and_si512(across, all(0x3FF)), 12));
    const auto packed = _mm512_or_si512(low, _mm512_slli_epi32(down, 22));
    _mm512_mask_i32scatter_epi32(blocks_, done, lanes.block, packed, 4);

    const auto zero = _mm512_setzero_si512();
    lanes.block = _mm512_mask_add_epi32(lanes.block, done, lanes.block, all(1));
    lanes.index = _mm512_mask_permutexvar_epi32(lanes.index, done, lanes.index, tables_.next_index);
    lanes.coefficient = _mm512_mask_mov_epi32(lanes.coefficient, done, zero);
    lanes.dc = _mm512_mask_mov_epi32(lanes.dc, done, zero);
    lanes.across = _mm512_mask_mov_epi32(lanes.across, done, zero);
    lanes.down = _mm512_mask_mov_epi32(lanes.down, done, zero);
    const auto at_mcu = static_cast<__mmask16>(done & _mm512_testn_epi32_mask(lanes.index, lanes.index));
    const auto stopped = static_cast<__mmask16>(at_mcu & (_mm512_cmpge_epu32_mask(lanes.bit, lanes.end_bit) |
                                                          _mm512_cmpgt_epu32_mask(lanes.block, lanes.last_block)));
    if (stopped != 0) [[unlikely]] {
      Lanes changed = lanes;
      take_parts(changed, group, stopped);
      lanes = changed;
    }
  }

  // Handles lanes that the short tables do not cover, or whose combined symbols would leave the block: reads a single
  // symbol with the long table, or without it, lane by lane.
  YOLOD_AVX512 __attribute__((noinline)) void look_closer(__mmask16 untold, const Lanes& lanes, std::size_t group,
                                                          __m512i window, __m512i& bit, __m512i& coefficient,
                                                          __m512i& value) {
    const auto table = _mm512_permutexvar_epi32(lanes.index, tables_.long_entries);
    const auto at = _mm512_add_epi32(table, _mm512_srli_epi32(window, 16));
    const auto entry = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), untold, at, tables_.entries, 4);
    const auto bits = _mm512_and_si512(entry, all(31));
    const auto after = _mm512_add_epi32(lanes.coefficient, _mm512_srli_epi32(entry, 16));
    const auto is_ac = _mm512_test_epi32_mask(lanes.coefficient, lanes.coefficient);
    const auto told = static_cast<__mmask16>(untold & is_ac & _mm512_test_epi32_mask(entry, entry) &
                                             _mm512_cmple_epu32_mask(bits, all(kWindowBits)) & ~too_far(after));
    bit = _mm512_mask_add_epi32(bit, told, lanes.bit, bits);
    coefficient = _mm512_mask_mov_epi32(coefficient, told, after);
    value = _mm512_mask_mov_epi32(value, told, values(window, entry, bits));
    const unsigned left = untold & ~told;
    if (left == 0) return;

    const auto from = store(lanes.bit);
    const auto stands = store(lanes.coefficient);
    const auto index = store(lanes.index);
    const auto block = store(lanes.block);
    auto new_bit = store(bit);
    auto new_coefficient = store(coefficient);
    auto new_value = store(value);
    for (unsigned rest = left; rest != 0; rest &= rest - 1) {
      const auto lane = static_cast<std::size_t>(__builtin_ctz(rest));
      std::uint64_t bits_here = 0;
      std::memcpy(&bits_here, bytes_ + from.of[lane] / 8, sizeof bits_here);
      bits_here = first_bit_highest(bits_here) << (from.of[lane] % 8);
      const auto symbol = read_symbol(layout_, index.of[lane], stands.of[lane], bits_here);
      new_bit.of[lane] = from.of[lane] + symbol.bits;
      new_coefficient.of[lane] = symbol.coefficient;
      new_value.of[lane] = static_cast<std::uint32_t>(symbol.value);
      if (symbol.valid) continue;
      auto& part = parts_[part_of_[group][lane]];
      const auto mcu = (block.of[lane] - part.first_block) / static_cast<std::uint32_t>(layout_.blocks);
      part.mcus_to_last_invalid = mcu + 1;
    }
    bit = load(new_bit);
    coefficient = load(new_coefficient);
    value = load(new_value);
  }

  // Stores the results of the finished lanes, and gives each of them another part while parts remain.
  YOLOD_AVX512 __attribute__((noinline)) void take_parts(Lanes& lanes, std::size_t group, __mmask16 free) {
    auto bit = store(lanes.bit);
    auto block = store(lanes.block);
    auto end_bit = store(lanes.end_bit);
    auto last_block = store(lanes.last_block);
    unsigned active = lanes.active;
    const auto mcu = static_cast<std::uint32_t>(layout_.blocks);
    for (unsigned rest = free; rest != 0; rest &= rest - 1) {
      const auto lane = static_cast<std::size_t>(__builtin_ctz(rest));
      auto& held = part_of_[group][lane];
      if (held != kNoPart) {
        auto& part = parts_[held];
        part.stopped_at = bit.of[lane];
        part.mcus = (block.of[lane] - part.first_block) / mcu;
      }
      held = next_part_ < parts_.size() ? next_part_++ : kNoPart;
      active = held == kNoPart ? active & ~(1U << lane) : active | 1U << lane;
      if (held == kNoPart) continue;
      const auto& part = parts_[held];
      bit.of[lane] = part.first_bit;
      block.of[lane] = part.first_block;
      end_bit.of[lane] = part.end_bit;
      last_block.of[lane] = part.end_block - mcu;
    }
    lanes.bit = load(bit);
    lanes.block = load(block);
    lanes.end_bit = load(end_bit);
    lanes.last_block = load(last_block);
    lanes.active = static_cast<__mmask16>(active);
  }

  const McuLayout& layout_;
  const std::uint8_t* bytes_;
  std::span<Part> parts_;
  Block* blocks_;
  Tables tables_{};
  std::size_t next_part_{0};
  std::array<std::array<std::size_t, kLanes>, 2> part_of_{};
};

}  // namespace

bool have_lanes() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0;
}

YOLOD_AVX512 void read_parts(const McuLayout& layout, const std::uint8_t* bytes, std::span<Part> parts, Block* blocks) {
  PartsReader(layout, bytes, parts, blocks).run();
}

}  // namespace yolod::model::image::coarse

#else

namespace yolod::model::image::coarse {

bool have_lanes() { return false; }

void read_parts(const McuLayout&, const std::uint8_t*, std::span<Part>, Block*) {}

}  // namespace yolod::model::image::coarse

#endif
