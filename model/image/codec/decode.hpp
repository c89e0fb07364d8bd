// From a file's bytes to pixels, by the decoders of codec/.
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

// A decoded picture: 8-bit BGR, alpha dropped, grey and CMYK turned to colour, 16 bits cut to 8, and turned upright by
// its EXIF orientation. Owns its pixels and their share of the memory for decoding.
class Picture {
 public:
  // `bgr` holds the rows of `stored` without gaps.
  Picture(std::unique_ptr<std::uint8_t[]> bgr, Size stored, Size size, DecodeMemory::Share share = {});

  // Gives every pixel its luma in all three channels, as Darknet reads a picture for a grey network (OpenCV's
  // BGR2GRAY).
  void make_grey();

  // Smaller than size() where it was decoded at a reduced scale.
  [[nodiscard]] PixelView view() const;
  // Of the picture as a person sees it: what boxes are in.
  [[nodiscard]] Size size() const { return size_; }

 private:
  DecodeMemory::Share share_;
  std::unique_ptr<std::uint8_t[]> bgr_;
  Size stored_;
  Size size_;
};

// What one picture may cost.
struct DecodeLimits {
  std::uint64_t max_pixels{100'000'000};
  std::chrono::nanoseconds max_time{std::chrono::seconds(2)};  // processor time of this thread
};

// `needed` is what the picture will be resized to; without it every pixel is wanted. A JPEG of at least
// kReducedFromPixels is decoded at a half, a quarter or an eighth of its sides as long as 1.5 times `needed` is left:
// its DCT averages for less than the whole costs. That changes what a network sees, as Darknet's bilinear resize would
// pick single pixels there; average precision does not suffer (docs/benchmarks.md).
//
// With `memory` it waits until there is room for the picture. A thread must not hold another Picture that was decoded
// with the same `memory`.
//
// Every byte of the picture comes from the file: one that is cut short or damaged is refused, unless all of its rows
// could be decoded all the same. Errors: those of codec::probe(); kInvalidImage for a file that is cut short or
// damaged; kImageTooComplex for one that takes longer than `limits.max_time` or more than all of `memory`.
[[nodiscard]] common::Outcome<Picture> decode(std::span<const std::byte> file, const DecodeLimits& limits,
                                              std::optional<Size> needed = std::nullopt,
                                              DecodeMemory* memory = nullptr);

inline constexpr std::uint64_t kReducedFromPixels = 4'000'000;

}  // namespace yolod::model::image
