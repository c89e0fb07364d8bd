// Reads many parts of a scan at the same time, one in each lane of AVX-512's vectors.
//
// A reader can start at any bit of a Huffman-coded stream. If that bit is not the start of an MCU, the result is
// wrong at first. When the reader happens to start an MCU at the same bit as a reader from the beginning does, both
// readers agree from then on (Klein and Wiseman, "Parallel Huffman decoding with applications to JPEG files", 2003).
// The result of a lane is therefore a guess. scan.cpp joins the parts and finds where each guess becomes correct.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/image/coarse_jpeg/block.hpp"

namespace yolod::model::image::coarse {

struct Part {
  // The input: the bit where the lane starts, as if an MCU began there; the bit at or behind which no MCU is begun;
  // and the range of blocks that the lane may write.
  std::uint32_t first_bit{0};
  std::uint32_t end_bit{0};
  std::uint32_t first_block{0};
  std::uint32_t end_block{0};
  // The result: the bit behind the last MCU, the number of MCUs, and the number of MCUs up to the last invalid one.
  std::uint32_t stopped_at{0};
  std::uint32_t mcus{0};
  std::uint32_t mcus_to_last_invalid{0};
};

// Returns whether this processor has the needed instructions.
[[nodiscard]] bool have_lanes();

// Reads all parts. For each part McuReader would give the same result. `bytes` is as in McuReader. Every part has
// room for at least one MCU. Bits are counted in 32 bits, so the data must be less than 2^28 bytes. Any bytes are
// safe. REQUIRES: have_lanes().
void read_parts(const McuLayout& layout, const std::uint8_t* bytes, std::span<Part> parts, Block* blocks);

}  // namespace yolod::model::image::coarse
