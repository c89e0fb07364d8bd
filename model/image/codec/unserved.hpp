// Names picture formats that are not served, so that the error tells the client which format it sent.
#pragma once

#include <string_view>

#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec {

// Returns the common name of the file's format ("HEIC", "PDF", "MP4"), by its first bytes (for TGA its last). Returns
// an empty text for served formats and for files that are not a picture, film or drawing. It reads at most 4 KiB.
[[nodiscard]] std::string_view unserved_format(Bytes file);

}  // namespace yolod::model::image::codec
