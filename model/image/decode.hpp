// From a file's bytes to pixels, by OpenCV, after our own header check. No OpenCV header here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/outcome.hpp"
#include "model/image/pixels.hpp"

namespace yolod::model::image {

// A decoded picture: 8-bit BGR, alpha dropped, grey and CMYK turned to colour, 16 bits cut to 8, and turned upright by
// its EXIF orientation. Owns its pixels.
class Picture {
 public:
  struct Pixels;  // a cv::Mat
  explicit Picture(std::shared_ptr<const Pixels> pixels);

  [[nodiscard]] PixelView view() const;

 private:
  std::shared_ptr<const Pixels> pixels_;
};

// Errors are those of read_header(), and kInvalidImage where the decoder fails or disagrees with the header.
[[nodiscard]] common::Outcome<Picture> decode(std::span<const std::byte> file, std::uint64_t max_pixels);

// Keeps OpenCV to one thread and its messages out of stderr. Once per process, before the first decode(); later calls
// change nothing.
void prepare_decoder();

}  // namespace yolod::model::image
