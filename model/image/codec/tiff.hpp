// Decodes TIFF with libtiff (TIFF 6.0): the first page, without alpha, with 16 bits reduced to 8.
//
// Served are uncompressed, PackBits, LZW, Deflate, CCITT and JPEG files with 1 to 4 unsigned samples of 1, 2, 4, 8 or
// 16 bits: grey, RGB, palette and CMYK, and YCbCr inside JPEG. Every other kind is refused before libtiff opens the
// file, because opening starts a codec. A file is complete if libtiff reports neither an error nor a warning about
// its strips.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::tiff {

// Errors have the code kInvalidImage, kImageTooLarge or kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the probe's sides. Succeeds only if every row was written.
// Errors have the code kInvalidImage or kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::tiff
