// The decoders by format. A file goes to the one decoder that its first bytes name, or to none.
#pragma once

#include <cstdint>
#include <optional>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec {

// The format that the first bytes name, if it is one of those served.
[[nodiscard]] std::optional<Format> format_of(Bytes file);

// Errors: kUnsupportedMediaType for a format that is known and not served; kImageTooLarge for more than `max_pixels`;
// kImageTooComplex for what no budget allows; kInvalidImage for all else: no picture, a header that is cut short,
// contradicts itself or claims more than the file can hold, and a kind of the format that is not served.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file as one of `format`. `reduction` is 1, or 2, 4 or 8 for a JPEG, and `into` has the
// probe's sides divided by it and rounded up. Succeeds only if every row of `into` was written.
// Errors: kInvalidImage, kImageTooComplex; std::bad_alloc may be thrown.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Format format, unsigned reduction, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec
