// Sanitizers do not check the addresses of gather and scatter instructions. So every buffer in these tests ends at a
// page that no code may access.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <vector>

#include "model/image/coarse_jpeg/lanes.hpp"
#include "model/image/coarse_jpeg/mcu_reader.hpp"

namespace {

namespace coarse = yolod::model::image::coarse;

// A buffer of zeros. The page after the buffer is not accessible.
class LastBytes {
 public:
  explicit LastBytes(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto room = (bytes + page - 1) / page * page;
    size_ = room + page;
    begin_ =
        static_cast<std::byte*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(begin_ != MAP_FAILED);
    REQUIRE(::mprotect(begin_ + room, page, PROT_NONE) == 0);
    data_ = begin_ + (room - bytes);
  }
  LastBytes(const LastBytes&) = delete;
  LastBytes& operator=(const LastBytes&) = delete;
  ~LastBytes() { ::munmap(begin_, size_); }

  template <typename Value>
  [[nodiscard]] Value* as() const {
    return reinterpret_cast<Value*>(data_);
  }

 private:
  std::byte* begin_;
  std::byte* data_;
  std::size_t size_;
};

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

 private:
  std::mt19937 random_;
};

// Returns a random valid code: with only long codes, with a code of one bit, with few codes, and with the longest
// values or any values.
coarse::HuffmanCode any_code(Dice& dice, bool is_ac) {
  for (;;) {
    coarse::HuffmanCode code;
    switch (dice.below(5)) {
      case 0: code.counts[16] = is_ac ? 162 : 12; break;
      case 1: code.counts[1] = 1, code.counts[16] = is_ac ? 100 : 11; break;
      case 2: code.counts[1] = 1, code.counts[2] = 1; break;
      case 3:
        for (std::size_t i = 1; i <= 16; ++i) code.counts[i] = static_cast<std::uint8_t>(dice.below(4));
        break;
      default: code.counts[11] = 3, code.counts[12] = 20, code.counts[16] = static_cast<std::uint8_t>(dice.below(5));
    }
    if (!code.is_sound()) continue;
    const auto longest = dice.below(3) == 0;
    for (auto& symbol : code.symbols) {
      const auto kind = dice.below(9);
      std::size_t any = longest ? 11 : dice.below(12);
      if (is_ac) any = longest ? 0x0A : kind == 0 ? 0 : kind == 1 ? 0xF0 : dice.below(16) << 4U | (1 + dice.below(10));
      symbol = static_cast<std::uint8_t>(any);
    }
    if (is_ac ? code.has_ac_symbols() : code.has_dc_symbols()) return code;
  }
}

coarse::McuLayout any_layout(Dice& dice) {
  coarse::McuLayout layout;
  layout.blocks = std::array<std::size_t, 3>{3, 4, 6}[dice.below(3)];
  const auto pairs = 1 + dice.below(3);
  for (std::size_t i = 0; i < pairs; ++i) layout.tables.add(any_code(dice, false), any_code(dice, true));
  for (std::size_t i = 0; i < layout.blocks; ++i) {
    layout.pair[i] = dice.below(pairs);
    layout.lost[i] = {static_cast<unsigned>(dice.below(2)), static_cast<unsigned>(dice.below(2))};
  }
  return layout;
}

void fill(std::uint8_t* bytes, std::size_t size, Dice& dice) {
  const auto kind = dice.below(4);
  for (std::size_t i = 0; i < size; ++i) {
    const auto any = static_cast<std::uint8_t>(dice.below(256));
    bytes[i] = kind == 0 ? 0 : kind == 1 ? 0xFF : kind == 2 && dice.below(4) != 0 ? 0 : any;
  }
}

}  // namespace

TEST_CASE("CoarseLanes: the lanes and the single reader get the same result from any codes and any bytes",
          "[model][unit][skips]") {
  if (!coarse::have_lanes()) {
    WARN("SKIPPED: this processor has no AVX-512");
    return;
  }
  Dice dice(5);
  std::size_t invalid = 0;
  for (int round = 0; round < 300; ++round) {
    const auto layout = any_layout(dice);
    const auto size = 256 + dice.below(4000);
    const LastBytes data(size + coarse::kSpareBytes);
    auto* const bytes = data.as<std::uint8_t>();
    fill(bytes, size, dice);
    const auto count = 1 + dice.below(std::min<std::size_t>(64, size / 8));
    const auto room = static_cast<std::uint32_t>((1 + dice.below(40)) * layout.blocks);
    std::vector<coarse::Part> parts(count);
    for (std::size_t i = 0; i < count; ++i) {
      parts[i].first_bit = static_cast<std::uint32_t>(size * i / count * 8);
      parts[i].end_bit = static_cast<std::uint32_t>(size * (i + 1) / count * 8);
      parts[i].first_block = static_cast<std::uint32_t>(i) * room;
      parts[i].end_block = parts[i].first_block + room;
    }
    const LastBytes memory(count * room * sizeof(coarse::Block));
    const auto* const blocks = memory.as<coarse::Block>();
    coarse::read_parts(layout, bytes, parts, memory.as<coarse::Block>());

    for (const auto& part : parts) {
      coarse::McuReader reader(layout, bytes, part.first_bit);
      std::array<coarse::Block, coarse::McuLayout::kMostBlocks> expected{};
      std::uint32_t mcus = 0;
      std::uint32_t mcus_to_last_invalid = 0;
      std::size_t at = part.first_block;
      bool same = true;
      do {
        if (!reader.read(expected.data())) mcus_to_last_invalid = mcus + 1;
        ++mcus;
        same = same &&
               std::equal(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(layout.blocks), blocks + at);
        at += layout.blocks;
      } while (reader.position() < part.end_bit && at + layout.blocks <= part.end_block);
      invalid += mcus_to_last_invalid > 0 ? 1 : 0;
      INFO("round " << round << ", from bit " << part.first_bit);
      CHECK(same);
      CHECK(part.mcus == mcus);
      CHECK(part.stopped_at == reader.position());
      CHECK(part.mcus_to_last_invalid == mcus_to_last_invalid);
    }
  }
  CHECK(invalid > 0);
}
