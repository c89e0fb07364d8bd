// JPEG by libjpeg-turbo, or by coarse_jpeg (ITU-T T.81): baseline, extended and progressive, Huffman-coded, 8 bits,
// with 1, 3 or 4 components. CMYK and YCCK are taken as Adobe stores them, inverted, with or without its marker.
//
// Arithmetic coding is refused: of a file that is cut it gives other pixels without a sign. Whole is a file whose last
// row came out and whose entropy-coded data did not end early; the end marker may be absent.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::jpeg {

// Errors: kInvalidImage, kImageTooLarge.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// Colours are rounded as stb_image rounds them (ycc_to_bgr.hpp). A quarter and an eighth are made without decoding the
// picture whole, if the file is of the kind that cameras make (coarse_jpeg/).
// REQUIRES: probe() accepted the file, and `into` has its sides divided by `reduction` (1, 2, 4 or 8) and rounded up.
// Succeeds only if every row was written. Errors: kInvalidImage, kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, unsigned reduction, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::jpeg
