// Colour JPEGs decoded to the values that Darknet's own decoder has, by libjpeg or by coarse_jpeg. Private to
// model/image: OpenCV's type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>

namespace yolod::model::image {

// The picture in BGR (ycc_to_bgr.hpp), upright by its EXIF orientation, its sides divided by `reduction` (1, 2, 4 or 8)
// and rounded up; by 4 and 8 without decoding it whole, if it is of the kind that cameras make (coarse_jpeg/).
// Nothing for what is not an 8-bit YCbCr JPEG without a fault: OpenCV's decoder is to say what that is.
[[nodiscard]] std::optional<cv::Mat> decode_jpeg(std::span<const std::byte> file, std::uint64_t reduction);

}  // namespace yolod::model::image
