// Colour JPEGs decoded to the values that Darknet's own decoder has, by libjpeg. Private to model/image: OpenCV's type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>

namespace yolod::model::image {

// The picture in BGR, upright by its EXIF orientation, its sides divided by `reduction` (1, 2, 4 or 8) and rounded up.
// Nothing for what is not an 8-bit YCbCr JPEG without a fault: OpenCV's decoder is to say what that is.
//
// Between libjpeg's pixels and those of Darknet's stb_image lies the conversion from YCbCr: stb_image's rounds in
// another place, which makes green one less in one of thirty values. Average precision of a few pictures feels it:
// one detection changing places with another was 0.6 points. So the conversion here is that of stb_image.
[[nodiscard]] std::optional<cv::Mat> decode_jpeg(std::span<const std::byte> file, std::uint64_t reduction);

// 1 to 8, TIFF tag 0x0112 (TIFF 6.0, Exif 2.3); 1 where `app1`, the content of a JPEG's APP1 segment, says nothing
// sound. Any bytes are safe to pass.
[[nodiscard]] int exif_orientation(std::span<const std::uint8_t> app1);

}  // namespace yolod::model::image
