// BMP by our own code (Microsoft's BITMAPINFOHEADER and its successors, OS/2's two headers): 1, 4, 8, 16, 24 and 32
// bits, channel masks, RLE4 and RLE8. Alpha is dropped. Pixels that a run-length coded file skips have palette entry 0,
// and those whose index is outside the palette are black.
//
// Whole is a file with the bytes of all its rows; if run-length coded, one that reaches its last row or its end code.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::bmp {

// Errors: kInvalidImage, kImageTooLarge, kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the sides that it gave. Succeeds only if every row was written.
// Errors: kInvalidImage, kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::bmp
