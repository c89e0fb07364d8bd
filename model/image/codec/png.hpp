// Decodes PNG with libpng (W3C recommendation, third edition). Alpha and tRNS are dropped, 16 bits are reduced to 8,
// and gAMA and iCCP are ignored; an animated PNG yields its default image. Ancillary chunks are never decompressed,
// so texts cost nothing.
//
// A file is complete if every row was decoded in the last pass; IEND may be absent.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::png {

// Errors have the code kInvalidImage, kImageTooLarge or kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the probe's sides. Succeeds only if every row was written.
// Errors have the code kInvalidImage or kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::png
