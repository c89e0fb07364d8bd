// PNM by our own code (Netpbm's pbm(5), pgm(5), ppm(5)): P1 to P6. Samples are scaled from their largest value to 255,
// clipped to it first; those of 65535 are cut to 8 bits. A comment may follow the magic number at once.
//
// Whole is a file with a sample for every pixel.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::pnm {

// Errors: kInvalidImage, kImageTooLarge, kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the sides that it gave. Succeeds only if every row was written.
// Errors: kInvalidImage, kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::pnm
