// Checks that a person means a change that their browser sends, and makes the session's cookie.
//
// A browser adds the cookie to every request, also to requests that the page of another site makes. Such a page cannot
// read an answer of this server, and it cannot make a browser lie about the page's own origin. So a change needs:
//
//   - Sec-Fetch-Site: same-origin, or an Origin with the same host as Host. A client that is not a browser sends
//     neither, and needs them only with a cookie
//   - with a cookie: the X-CSRF-Token that the log-in and GET /api/me have told
//
// The functions are pure; any thread may call them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/access/caller.hpp"
#include "app/accounts/protocol/digest.hpp"
#include "app/http/request_head.hpp"
#include "common/error.hpp"

namespace yolod::app::api::account {

// Returns the token that changes need with this session. Only who knows the session can compute it.
[[nodiscard]] std::string csrf_token(const accounts::protocol::Digest& session);

// Returns kForbidden with the reason if the request may not change anything, and nothing if it may.
[[nodiscard]] std::optional<common::Error> check_change(const http::RequestHead& head, const access::Caller& caller);

// Returns whether the browser uses HTTPS, also if a proxy in front of the server ends TLS. The answer changes only the
// name of the client's cookie.
[[nodiscard]] bool browser_has_https(const http::RequestHead& head, bool is_tls);

// Return the value of Set-Cookie that begins or ends a session.
[[nodiscard]] std::string begin_cookie(std::string_view token, bool https);
[[nodiscard]] std::string end_cookie(bool https);

}  // namespace yolod::app::api::account
