// Decodes WebP with libwebp (RFC 9649). Alpha is dropped. It decodes only the first frame of an animation, on a
// black canvas.
//
// A file is complete if the incremental decoder reports that its bitstream is complete.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::webp {

// Errors have the code kInvalidImage, kImageTooLarge or kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the probe's sides. Succeeds only if every row was written.
// Errors have the code kInvalidImage or kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::webp
