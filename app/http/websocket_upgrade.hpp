// Checks the request that begins a WebSocket (RFC 6455, 4.2.1). The functions are pure; any thread may call them.
#pragma once

#include <ostream>  // before status.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/status.hpp>
#include <optional>

#include "app/access/caller.hpp"
#include "app/http/request_head.hpp"
#include "app/http/response.hpp"
#include "common/config/server_config.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

struct UpgradeRefusal {
  boost::beast::http::status status;
  common::Error error;
};

// Returns why the request cannot begin a WebSocket, or nothing if it can:
//
//   426   it does not ask for a WebSocket, or for another version than 13
//   400   it has no valid Sec-WebSocket-Key, it has a body, or it is HTTP/1.0
//   403   a page of another site asks in the browser of a person, and server.cors does not allow it. A browser sends
//         the cookie of this server with such a request and lets the page read the messages, so the server refuses it
[[nodiscard]] std::optional<UpgradeRefusal> check_upgrade(const RequestHead& head, const access::Caller& caller,
                                                          const common::CorsConfig& cors);

// Changes the answer with the error of `refusal`, as a protocol has written it, to the answer that RFC 6455 requires.
void finish_refusal(const UpgradeRefusal& refusal, Response& response);

}  // namespace yolod::app::http
