// Reads a picture's orientation from its EXIF data.
#pragma once

#include <cstdint>
#include <span>

namespace yolod::model::image {

// Returns the orientation, 1 to 8 (TIFF tag 0x0112 of TIFF 6.0 and Exif 2.3), or 1 if `app1`, the content of a JPEG's
// APP1 segment, has no valid orientation. Any bytes are safe to pass.
[[nodiscard]] int exif_orientation(std::span<const std::uint8_t> app1);

// Works like exif_orientation(), for EXIF data without a JPEG's prefix: the content of PNG's eXIf chunk.
[[nodiscard]] int tiff_orientation(std::span<const std::uint8_t> tiff);

}  // namespace yolod::model::image
