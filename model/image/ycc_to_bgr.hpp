// From JPEG's colours to BGR, rounded as stb_image, Darknet's decoder, rounds.
//
// Between libjpeg's pixels and those of stb_image lies the conversion from YCbCr: stb_image's rounds in another place,
// which makes green one less in one of thirty values. Average precision of a few pictures feels it: one detection
// changing places with another was 0.6 points.
#pragma once

#include <cstdint>

namespace yolod::model::image {

// `width` pixels of three bytes each, in both.
void ycc_row_to_bgr(const std::uint8_t* ycc, std::uint8_t* bgr, int width);

// The same from three rows.
void planes_row_to_bgr(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, std::uint8_t* bgr,
                       int width);

}  // namespace yolod::model::image
