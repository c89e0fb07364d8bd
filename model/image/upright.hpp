// Turns a picture as its EXIF orientation says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "model/image/budget.hpp"

namespace yolod::model::image {

// Whether width and height change places.
[[nodiscard]] constexpr bool is_transposed(int orientation) { return orientation >= 5; }

// `bgr` holds `height` rows of `width` pixels of 3 bytes without gaps; afterwards the same picture upright, in a new
// buffer of the same length where is_transposed(orientation). False once `budget` is spent; `bgr` is no picture then.
// The eight orientations: as it is, mirrored, turned by half, mirrored upside down, transposed, turned right,
// transposed about the other diagonal, turned left.
[[nodiscard]] bool make_upright(std::unique_ptr<std::uint8_t[]>& bgr, std::size_t width, std::size_t height,
                                int orientation, codec::Budget& budget);

}  // namespace yolod::model::image
