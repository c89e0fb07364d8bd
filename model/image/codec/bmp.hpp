// Decodes BMP with yolod's own code (Microsoft's BITMAPINFOHEADER and later headers, OS/2's two headers): 1, 4, 8,
// 16, 24 and 32 bits, channel masks, RLE4 and RLE8. Alpha is dropped. Pixels that a run-length coded file skips get
// palette entry 0, and pixels with an index outside the palette are black.
//
// A file is complete if it has the bytes of all rows. A run-length coded file is complete if it reaches its last row
// or its end code.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::bmp {

// Errors have the code kInvalidImage, kImageTooLarge or kImageTooComplex.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file, and `into` has the probe's sides. Succeeds only if every row was written.
// Errors have the code kInvalidImage or kImageTooComplex.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec::bmp
