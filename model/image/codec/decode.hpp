// Decodes a file's bytes to pixels, with the decoders of codec/.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "common/outcome.hpp"
#include "model/image/decode_memory.hpp"
#include "model/image/pixels.hpp"
#include "model/image/placement.hpp"

namespace yolod::model::image {

// A decoded picture: 8-bit BGR, without alpha; grey and CMYK are converted to colour, 16 bits are reduced to 8, and
// the picture is turned upright by its EXIF orientation. Owns the pixels and their share of the memory for decoding.
class Picture {
 public:
  // `bgr` has the rows of `stored` without gaps.
  Picture(std::unique_ptr<std::uint8_t[]> bgr, Size stored, Size size, DecodeMemory::Share share = {});

  // Sets all three channels of every pixel to its luma, as Darknet reads a picture for a grey network (OpenCV's
  // BGR2GRAY).
  void make_grey();

  // The view is smaller than size() if the picture was decoded at a reduced scale.
  [[nodiscard]] PixelView view() const;
  // The size of the upright picture; boxes refer to it.
  [[nodiscard]] Size size() const { return size_; }

 private:
  DecodeMemory::Share share_;
  std::unique_ptr<std::uint8_t[]> bgr_;
  Size stored_;
  Size size_;
};

// The limits for a single picture.
struct DecodeLimits {
  std::uint64_t max_pixels{100'000'000};
  std::chrono::nanoseconds max_time{std::chrono::seconds(2)};  // processor time of this thread
};

// `needed` is the size to which the picture will be resized; without it the picture is decoded in full. A JPEG of at
// least kReducedFromPixels is decoded at a half, a quarter or an eighth of its sides, as long as 1.5 times `needed`
// remains, because the DCT averages pixels cheaply. The network then sees averaged pixels instead of the single
// pixels that Darknet's bilinear resize picks. The average precision does not decrease (docs/benchmarks.md).
//
// With `memory` the call waits until there is room for the picture. A thread must not hold another Picture that was
// decoded with the same `memory`.
//
// Every byte of the picture comes from the file: a file that is cut short or damaged is refused, unless all of its
// rows could be decoded. Error codes: every code of codec::probe(); kInvalidImage for a file that is cut short or
// damaged; kImageTooComplex for a file that needs more than `limits.max_time` or more than all of `memory`.
[[nodiscard]] common::Outcome<Picture> decode(std::span<const std::byte> file, const DecodeLimits& limits,
                                              std::optional<Size> needed = std::nullopt,
                                              DecodeMemory* memory = nullptr);

inline constexpr std::uint64_t kReducedFromPixels = 4'000'000;

}  // namespace yolod::model::image
