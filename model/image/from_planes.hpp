// From a network's output back to pixels.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/image/pixels.hpp"
#include "model/image/placement.hpp"

namespace yolod::model::image {

// 8-bit BGR pixels that own their bytes.
struct OwnedPixels {
  Size size;
  std::vector<std::uint8_t> bgr;

  [[nodiscard]] PixelView view() const {
    return {bgr.data(), size.width, size.height, 3 * static_cast<std::size_t>(size.width)};
  }
};

// `planes` is [3, size.height, size.width]; red comes first, or blue if `blue_first`. Values from range[0] (black) to
// range[1] (white) become 0 to 255, rounded; what lies beyond is cut off, and NaN is black. `part` of it is taken,
// which lies within.
[[nodiscard]] OwnedPixels from_planes(std::span<const float> planes, Size size, const Placement& part,
                                      std::array<float, 2> range, bool blue_first);

}  // namespace yolod::model::image
