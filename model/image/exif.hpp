// How a picture was held, as its EXIF says.
#pragma once

#include <cstdint>
#include <span>

namespace yolod::model::image {

// 1 to 8, TIFF tag 0x0112 (TIFF 6.0, Exif 2.3); 1 where `app1`, the content of a JPEG's APP1 segment, says nothing
// sound. Any bytes are safe to pass.
[[nodiscard]] int exif_orientation(std::span<const std::uint8_t> app1);

// The same of EXIF without the prefix that it has in a JPEG: the content of PNG's eXIf chunk.
[[nodiscard]] int tiff_orientation(std::span<const std::uint8_t> tiff);

}  // namespace yolod::model::image
