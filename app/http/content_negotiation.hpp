// Which form of a picture a client would rather have, by its Accept header (RFC 9110, 12.5.1). No sockets.
#pragma once

#include <string_view>

namespace yolod::app::http {

// True if it ranks image/png above image/jpeg. A header that is empty, cannot be read, or asks for neither is no reason
// to refuse: the answer is then a JPEG.
[[nodiscard]] bool prefers_png(std::string_view accept);

}  // namespace yolod::app::http
