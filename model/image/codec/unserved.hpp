// Names of picture formats that are not served, so that their senders learn what they sent.
#pragma once

#include <string_view>

#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec {

// What `file` is by its first bytes (of TGA, its last), as people call it: "HEIC", "PDF", "MP4"; empty for what is no
// picture, film or drawing, and for the formats that are served. Looks at 4 KiB at most.
[[nodiscard]] std::string_view unserved_format(Bytes file);

}  // namespace yolod::model::image::codec
