// Writes errors in yolod's own protocol: {"success":false,"error":{"code":...,"message":...}}. Only this file maps
// an error to an HTTP status. Any thread may call it.
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

// Returns the text that the client receives. For a server fault (kInternal, kBadConfig, kBadModel or kSystem) this is a
// fixed text without the reason. For every other error it is the error's message.
[[nodiscard]] std::string client_message(const common::Error& error);

// Appends {"success":false,"error":{...}}.
void append_failure(http::TextBuffer& out, common::ErrorCode code, std::string_view message);

// Adds a Retry-After header if the status of the response is 429 or 503.
void add_retry_after(http::Response& response, std::uint32_t seconds);

// Replaces the whole response. A 429 and a 503 have a Retry-After header.
void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds = 1);

// Replaces the whole response. It uses the caller's status and message, and writes no Retry-After header.
void write_failure(http::Response& response, boost::beast::http::status status, common::ErrorCode code,
                   std::string_view message);

}  // namespace yolod::app::api
