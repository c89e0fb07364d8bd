// WebP by libwebp (RFC 9649). Alpha is dropped; of an animation the first frame is taken, on a black canvas.
//
// Whole is a file whose bitstream the incremental decoder calls complete.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::webp {

// Errors: kInvalidImage, kImageTooLarge, kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the sides that it gave. Succeeds only if every row was written.
// Errors: kInvalidImage, kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::webp
