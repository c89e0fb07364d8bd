// Writes errors as the Open Inference Protocol defines them, {"error":"text"}, with the statuses and texts of Triton.
// Any thread may call it.
#pragma once

#include <ostream>  // before status.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/status.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/http/response.hpp"
#include "common/error.hpp"

namespace yolod::app::api::oip {

[[nodiscard]] boost::beast::http::status http_status(common::ErrorCode code);

// Replaces the whole response. A 429 and a 503 have a Retry-After header.
void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds = 1);
// Replaces the whole response, with the caller's status and text.
void write_failure(http::Response& response, boost::beast::http::status status, std::string_view text);

[[nodiscard]] common::Error bad_request(std::string what);
// Returns a client's name for an error: at most 100 printable characters in quotes.
[[nodiscard]] std::string in_quotes(std::string_view name);

// Returns kUnknownModel with Triton's text. `name` may contain any bytes; `version` is empty if the path has none.
[[nodiscard]] common::Error unknown_model(std::string_view name, std::string_view version);
// Returns the error for a model that was unloaded: kUnknownModel, or kNotReady if the path has a version.
[[nodiscard]] common::Error unloaded_model(std::string_view name, std::string_view version);

}  // namespace yolod::app::api::oip
