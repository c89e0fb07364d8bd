// A view of a decoded picture: 8-bit BGR, as OpenCV decodes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yolod::model::image {

// The view does not own the pixels. Row r begins at bgr + r * stride_bytes and has 3 * width bytes.
struct PixelView {
  const std::uint8_t* bgr{nullptr};
  int width{0};
  int height{0};
  std::size_t stride_bytes{0};
};

}  // namespace yolod::model::image
