// Checks the host and port that a request names: the value of a Host field, or the authority of a target in absolute
// form (RFC 9110, 7.2; RFC 3986, 3.2.2). It needs no socket.
#pragma once

#include <string_view>

namespace yolod::app::http {

// Returns true for a host with or without a port: "name", "name:80", "127.0.0.1", "[::1]:80". Returns false for an
// empty text, user information, white space, and everything else that RFC 3986 does not allow there.
[[nodiscard]] bool is_host_and_port(std::string_view text);

}  // namespace yolod::app::http
