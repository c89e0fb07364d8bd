// Errors as yolod's own protocol tells them: {"success":false,"error":{"code":...,"message":...}}. The one place that
// turns an error into an HTTP status.
#pragma once

#include <ostream>  // before status.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/status.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/http/response.hpp"
#include "common/error.hpp"

namespace yolod::app::api {

[[nodiscard]] boost::beast::http::status http_status(common::ErrorCode code);

// The text that a client may see: an error of the client is explained, an error of the server is not.
[[nodiscard]] std::string client_message(const common::Error& error);

// Replaces all of `response`; a 503 says Retry-After.
void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds = 1);

// The same with a status and a message of the caller's choice.
void write_failure(http::Response& response, boost::beast::http::status status, common::ErrorCode code,
                   std::string_view message);

}  // namespace yolod::app::api
