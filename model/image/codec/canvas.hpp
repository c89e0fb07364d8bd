// Where a decoder writes a picture.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yolod::model::image::codec {

// `height` rows of `width` pixels, 8-bit BGR, one row behind the other. The memory is the caller's and holds anything
// at first: a decoder counts each row that it has written to its end, and a canvas that is not full is no picture.
class Canvas {
 public:
  Canvas(std::uint8_t* bgr, std::size_t width, std::size_t height) : bgr_(bgr), width_(width), height_(height) {}

  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] std::size_t height() const { return height_; }
  [[nodiscard]] std::size_t row_bytes() const { return 3 * width_; }
  [[nodiscard]] std::uint8_t* row(std::size_t y) { return bgr_ + y * row_bytes(); }

  // Each row is counted once.
  void wrote(std::size_t rows = 1) { written_ += rows; }
  [[nodiscard]] bool full() const { return written_ == height_; }

 private:
  std::uint8_t* bgr_;
  std::size_t width_;
  std::size_t height_;
  std::size_t written_{0};
};

}  // namespace yolod::model::image::codec
