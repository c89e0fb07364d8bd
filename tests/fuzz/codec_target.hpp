// The common part of the decoders' fuzz targets: it runs a decoder twice, over buffers that held different bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "model/image/codec/codecs.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace yolod::fuzz {

// This result tells libFuzzer not to keep an input that is not of `format`.
inline constexpr int kNotKept = -1;

inline void require_known(const common::Error& error) {
  using common::ErrorCode;
  require_one_line(error, error.code);
  require(error.code == ErrorCode::kInvalidImage || error.code == ErrorCode::kImageTooLarge ||
          error.code == ErrorCode::kImageTooComplex);
}

inline int run_codec(model::image::codec::Format format, const std::uint8_t* data, std::size_t size) {
  namespace codec = model::image::codec;
  constexpr std::uint64_t kMaxPixels = 100'000;
  const auto file = std::as_bytes(std::span(data, size));
  if (codec::format_of(file) != format) return kNotKept;
  const auto found = codec::probe(file, kMaxPixels);
  if (!found) {
    require_known(found.error());
    return 0;
  }
  require(found->format == format && found->width >= 1 && found->height >= 1);
  require(found->width * found->height <= kMaxPixels && found->orientation >= 1 && found->orientation <= 8);
  const bool is_jpeg = format == codec::Format::kJpeg;
  for (const unsigned reduction : {1U, 2U, 4U, 8U}) {
    if (reduction > 1 && !is_jpeg) break;
    const auto width = static_cast<std::size_t>((found->width + reduction - 1) / reduction);
    const auto height = static_cast<std::size_t>((found->height + reduction - 1) / reduction);
    const std::size_t bytes = 3 * width * height;
    const std::unique_ptr<std::uint8_t[]> pictures[2]{std::make_unique_for_overwrite<std::uint8_t[]>(bytes),
                                                      std::make_unique_for_overwrite<std::uint8_t[]>(bytes)};
    bool done[2]{};
    for (const std::size_t i : {0U, 1U}) {
      std::fill_n(pictures[i].get(), bytes, i == 0 ? std::uint8_t{0xA5} : std::uint8_t{0x3C});
      codec::Canvas canvas(pictures[i].get(), width, height);
      codec::Budget budget(std::chrono::seconds(10));
      const auto decoded = codec::decode(file, format, reduction, canvas, budget);
      done[i] = decoded.ok();
      if (decoded) {
        require(canvas.full());
      } else {
        require_known(decoded.error());
      }
    }
    require(done[0] == done[1]);
    // No byte that the buffer held before may remain.
    require(!done[0] || std::equal(pictures[0].get(), pictures[0].get() + bytes, pictures[1].get()));
  }
  return 0;
}

}  // namespace yolod::fuzz
