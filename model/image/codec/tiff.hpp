// TIFF by libtiff (TIFF 6.0): the first page, alpha dropped, 16 bits cut to 8.
//
// Served are uncompressed, PackBits, LZW, Deflate, CCITT and JPEG files of 1 to 4 unsigned samples of 1, 2, 4, 8 or 16
// bits: grey, RGB, palette and CMYK, and YCbCr inside JPEG. Everything else is refused before libtiff opens the file,
// because opening starts a codec. Whole is a file of whose strips libtiff says nothing, neither error nor warning.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::tiff {

// Errors: kInvalidImage, kImageTooLarge, kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the sides that it gave. Succeeds only if every row was written.
// Errors: kInvalidImage, kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::tiff
