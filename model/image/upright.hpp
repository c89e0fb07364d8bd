// Turns a picture to the orientation in its EXIF data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "model/image/budget.hpp"

namespace yolod::model::image {

// Returns whether the orientation swaps width and height.
[[nodiscard]] constexpr bool is_transposed(int orientation) { return orientation >= 5; }

// `bgr` has `height` rows of `width` pixels of 3 bytes without gaps. Afterwards it has the upright picture, in a new
// buffer of the same length if is_transposed(orientation). Returns false if `budget` is used up; the content of `bgr`
// is then invalid.
//
// The eight orientations are: unchanged, mirrored, turned by half, mirrored upside down, transposed, turned right,
// transposed about the other diagonal, turned left.
[[nodiscard]] bool make_upright(std::unique_ptr<std::uint8_t[]>& bgr, std::size_t width, std::size_t height,
                                int orientation, codec::Budget& budget);

}  // namespace yolod::model::image
