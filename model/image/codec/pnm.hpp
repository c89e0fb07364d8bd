// Decodes PNM with yolod's own code (Netpbm's pbm(5), pgm(5), ppm(5)): P1 to P6. Samples are clipped to the largest
// value and scaled to 255; samples up to 65535 are reduced to 8 bits. A comment may directly follow the magic number.
//
// A file is complete if it has a sample for every pixel.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::pnm {

// Errors have the code kInvalidImage, kImageTooLarge or kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the probe's sides. Succeeds only if every row was written.
// Errors have the code kInvalidImage or kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::pnm
