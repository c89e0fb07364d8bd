// Decodes JPEG with libjpeg-turbo or coarse_jpeg (ITU-T T.81): baseline, extended and progressive, Huffman-coded, 8
// bits, with 1, 3 or 4 components. CMYK and YCCK are read as Adobe stores them, inverted, with or without Adobe's
// marker.
//
// Arithmetic coding is refused, because a truncated file decodes to wrong pixels without an error. A file is complete
// if its last row was decoded and its entropy-coded data did not end early; the end marker may be absent.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::jpeg {

// Errors have the code kInvalidImage or kImageTooLarge.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// Rounds colours like stb_image (ycc_to_bgr.hpp). It decodes a quarter or an eighth without decoding the picture in
// full if the file is of the kind that cameras make (coarse_jpeg/). REQUIRES: probe() accepted the file, and `into`
// has its sides divided by `reduction` (1, 2, 4 or 8) and rounded up. Succeeds only if every row was written. Errors
// have the code kInvalidImage or kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, unsigned reduction, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::jpeg
