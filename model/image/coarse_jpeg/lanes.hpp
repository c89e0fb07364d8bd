// Reads many parts of a scan at once, one in each lane of AVX-512's vectors.
//
// A Huffman-coded stream can be read from any bit: where that was not the beginning of an MCU, what comes out is
// nonsense for a while, until by chance it is at the beginning of one together with who reads from the start; from
// there both read the same (Klein and Wiseman, "Parallel Huffman decoding with applications to JPEG files", 2003). So
// what a lane reads is a guess. Whoever joins the parts (scan.cpp) finds where a guess becomes true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/image/coarse_jpeg/block.hpp"

namespace yolod::model::image::coarse {

struct Part {
  // Given: where to begin, as if an MCU began there; the bit at or behind which no other MCU is begun; the first and
  // the end of the blocks that are its own.
  std::uint32_t first_bit{0};
  std::uint32_t end_bit{0};
  std::uint32_t first_block{0};
  std::uint32_t end_block{0};
  // Read: the bit behind its last MCU, how many of them there are, and how many until none is invalid any more.
  std::uint32_t stopped_at{0};
  std::uint32_t mcus{0};
  std::uint32_t mcus_to_last_invalid{0};
};

// Whether this processor has what it takes.
[[nodiscard]] bool have_lanes();

// Reads all parts, as McuReader would one by one. `bytes` as there; every part has room for an MCU at least, and bits
// are counted in 32: data of less than 2^28 bytes. Any bytes are safe. Only where have_lanes().
void read_parts(const McuLayout& layout, const std::uint8_t* bytes, std::span<Part> parts, Block* blocks);

}  // namespace yolod::model::image::coarse
