// The target of a decoder.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yolod::model::image::codec {

// Has `height` rows of `width` pixels, 8-bit BGR, without gaps. The caller owns the memory, which is uninitialised. A
// decoder counts each row that it has written completely; unless all rows are counted, the canvas is not a valid
// picture.
class Canvas {
 public:
  Canvas(std::uint8_t* bgr, std::size_t width, std::size_t height) : bgr_(bgr), width_(width), height_(height) {}

  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] std::size_t height() const { return height_; }
  [[nodiscard]] std::size_t row_bytes() const { return 3 * width_; }
  [[nodiscard]] std::uint8_t* row(std::size_t y) { return bgr_ + y * row_bytes(); }

  // Call it once for each row.
  void wrote(std::size_t rows = 1) { written_ += rows; }
  [[nodiscard]] bool full() const { return written_ == height_; }

 private:
  std::uint8_t* bgr_;
  std::size_t width_;
  std::size_t height_;
  std::size_t written_{0};
};

}  // namespace yolod::model::image::codec
