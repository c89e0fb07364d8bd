// Writes errors as DOODS does: {"id":"7","detections":[],"error":"..."} with a status of 400 or more. The form comes
// from api.py and odrpc.py in github.com/snowzach/doods2. Any thread may call it.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "common/error.hpp"

namespace yolod::app::api::doods {

// Replaces the whole response. `id` is the id of the request; with an empty text the answer has none. A 503 and a 429
// have a Retry-After header.
void write_error(http::Response& response, const common::Error& error, std::string_view id = {},
                 std::uint32_t retry_after_seconds = 1);

// Returns whether the path belongs to this protocol.
[[nodiscard]] bool owns_path(std::string_view path);

struct DoodsErrors {
  void operator()(const common::Error& error, http::Response& response) const { write_error(response, error); }
};

}  // namespace yolod::app::api::doods
