// From a file's bytes to pixels, by OpenCV, after our own header check. No OpenCV header here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "common/outcome.hpp"
#include "model/image/pixels.hpp"
#include "model/image/placement.hpp"

namespace yolod::model::image {

// A decoded picture: 8-bit BGR, alpha dropped, grey and CMYK turned to colour, 16 bits cut to 8, and turned upright by
// its EXIF orientation. Owns its pixels.
class Picture {
 public:
  struct Pixels;  // a cv::Mat
  Picture(std::shared_ptr<const Pixels> pixels, Size size);

  // Smaller than size() where it was decoded at a reduced scale.
  [[nodiscard]] PixelView view() const;
  // Of the picture as a person sees it: what boxes are in.
  [[nodiscard]] Size size() const { return size_; }

 private:
  std::shared_ptr<const Pixels> pixels_;
  Size size_;
};

// `needed` is what the picture will be resized to; without it every pixel is wanted. A JPEG of at least
// kReducedFromPixels is decoded at a half, a quarter or an eighth of its sides as long as 1.5 times `needed` is left:
// its DCT averages for less than the whole costs. That changes what a network sees, as Darknet's bilinear resize would
// pick single pixels there; average precision does not suffer (docs/benchmarks.md). Errors are those of read_header(),
// and kInvalidImage where the decoder fails or disagrees with the header.
[[nodiscard]] common::Outcome<Picture> decode(std::span<const std::byte> file, std::uint64_t max_pixels,
                                              std::optional<Size> needed = std::nullopt);

inline constexpr std::uint64_t kReducedFromPixels = 4'000'000;

// Keeps OpenCV to one thread and its messages out of stderr. Once per process, before the first decode(); later calls
// change nothing.
void prepare_decoder();

}  // namespace yolod::model::image
