// Converts a network's output to pixels.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/image/pixels.hpp"
#include "model/image/placement.hpp"

namespace yolod::model::image {

// Holds 8-bit BGR pixels and owns their bytes.
struct OwnedPixels {
  Size size;
  std::vector<std::uint8_t> bgr;

  [[nodiscard]] PixelView view() const {
    return {bgr.data(), size.width, size.height, 3 * static_cast<std::size_t>(size.width)};
  }
};

// `planes` has the shape [3, size.height, size.width], with red first, or with blue first if `blue_first`. Values
// from range[0] (black) to range[1] (white) become 0 to 255, rounded; values outside are clipped, and NaN becomes
// black. The result is the region `part`, which must lie within the planes.
[[nodiscard]] OwnedPixels from_planes(std::span<const float> planes, Size size, const Placement& part,
                                      std::array<float, 2> range, bool blue_first);

}  // namespace yolod::model::image
