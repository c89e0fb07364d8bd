// Lets pages of other sites use the server from a browser, as server.cors allows it: the protocol that the Fetch
// standard calls CORS. These are pure functions; any thread may call them.
#pragma once

#include <string_view>

#include "app/http/response.hpp"
#include "app/http/router.hpp"
#include "app/http/text_buffer.hpp"
#include "common/config/server_config.hpp"

namespace yolod::app::http {

// Returns the value of Access-Control-Allow-Origin for a request with this Origin. Returns an empty text if the page
// may not read the answer. The result points into `cors`.
[[nodiscard]] std::string_view allowed_origin(const common::CorsConfig& cors, std::string_view origin);

// Returns whether pages of other sites may use the route. They may not change models, people or keys.
[[nodiscard]] bool is_for_other_sites(const Route& route);

// Appends the header lines that every answer has. `allowed` is the result of allowed_origin(), or empty.
void append_cors(TextBuffer& out, const common::CorsConfig& cors, std::string_view allowed);

// Adds to the answer of a preflight request which requests the page may send. `methods` are the methods of the route.
void add_preflight(Response& response, const common::CorsConfig& cors, std::string_view methods);

}  // namespace yolod::app::http
