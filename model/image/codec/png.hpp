// PNG by libpng (W3C recommendation, third edition). Alpha and tRNS are dropped, 16 bits cut to 8, gAMA and iCCP
// ignored; an animated PNG gives its default image. Ancillary chunks are never unpacked, so texts cost nothing.
//
// Whole is a file whose every row came out of the last pass; IEND may be absent.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::png {

// Errors: kInvalidImage, kImageTooLarge, kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the sides that it gave. Succeeds only if every row was written.
// Errors: kInvalidImage, kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::png
