// Selects the decoder for a file by its first bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "common/outcome.hpp"
#include "model/image/budget.hpp"
#include "model/image/codec/canvas.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec {

// Returns the format of the first bytes if it is a served format.
[[nodiscard]] std::optional<Format> format_of(Bytes file);

// Reads the file's header. Error codes: kUnsupportedMediaType for a known format that is not served; kImageTooLarge
// for more than `max_pixels`; kImageTooComplex for a cost beyond every budget; kInvalidImage for every other fault.
// Such faults are: the file is not a picture; its header is cut short, is inconsistent or claims more than the file
// has; its kind of a served format is unsupported.
[[nodiscard]] common::Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels);

// REQUIRES: probe() accepted the file as one of `format`; `reduction` is 1, or for a JPEG also 2, 4 or 8; `into` has
// the probe's sides divided by `reduction` and rounded up. Succeeds only if every row of `into` was written. Errors
// have the code kInvalidImage or kImageTooComplex. May throw std::bad_alloc.
[[nodiscard]] common::Outcome<void> decode(Bytes file, Format format, unsigned reduction, Canvas& into, Budget& budget);

}  // namespace yolod::model::image::codec
