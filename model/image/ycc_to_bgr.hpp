// Converts JPEG's colours to BGR with the rounding of stb_image, Darknet's decoder.
//
// libjpeg rounds the conversion from YCbCr at another step than stb_image, so green is one less in one of thirty
// values. The average precision of a few pictures depends on it: when two detections swapped their ranks, it changed
// by 0.6 points.
#pragma once

#include <cstdint>

namespace yolod::model::image {

// Converts `width` pixels of three bytes each.
void ycc_row_to_bgr(const std::uint8_t* ycc, std::uint8_t* bgr, int width);

// Converts `width` pixels whose components are in three separate rows.
void planes_row_to_bgr(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, std::uint8_t* bgr,
                       int width);

}  // namespace yolod::model::image
