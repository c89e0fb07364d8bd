// Chooses the format of a picture by the client's Accept header (RFC 9110, 12.5.1). It needs no socket.
#pragma once

#include <string_view>

namespace yolod::app::http {

// Returns true if the header ranks image/png above image/jpeg. The server never refuses a request because of Accept:
// if the header is empty, malformed or names neither type, the answer is a JPEG.
[[nodiscard]] bool prefers_png(std::string_view accept);

// Returns whether the header names JPEG or PNG (or image/*), and ranks it above JSON.
[[nodiscard]] bool prefers_picture(std::string_view accept);

// Returns the weight that an Accept-Encoding gives to this coding, from 0 to 1. A coding that it does not name has the
// weight 0.
[[nodiscard]] float weight_of_coding(std::string_view accept_encoding, std::string_view coding);

}  // namespace yolod::app::http
