#include "app/api/account/change_guard.hpp"

#include <sodium.h>

#include "app/http/credential_fields.hpp"
#include "app/http/page_origin.hpp"

namespace yolod::app::api::account {
namespace {

using common::Error;
using common::ErrorCode;

constexpr std::string_view kHttps = "https://";
bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string cookie(std::string_view value, bool https) {
  std::string text(https ? http::kSessionCookie : http::kPlainSessionCookie);
  text.append("=").append(value).append("; Path=/; HttpOnly; SameSite=Strict");
  if (https) text += "; Secure";
  return text;
}

}  // namespace

std::string csrf_token(const accounts::protocol::Digest& session) {
  namespace protocol = accounts::protocol;
  return protocol::to_hex(protocol::digest_of("yolod's token against forged requests: " + protocol::to_hex(session)));
}

std::optional<Error> check_change(const http::RequestHead& head, const access::Caller& caller) {
  const Error foreign{ErrorCode::kForbidden, "a page of another site may not change an account"};
  const bool has_session = caller.kind == access::Caller::Kind::kSession;
  const auto page = http::page_origin_of(head);
  if (page == http::PageOrigin::kForeign) return foreign;
  if (has_session && page == http::PageOrigin::kNone) {
    return Error{ErrorCode::kForbidden, "a change with a session needs Sec-Fetch-Site or Origin, as browsers send it"};
  }
  if (has_session && !same_text(head.csrf_token, csrf_token(caller.credential))) {
    return Error{ErrorCode::kForbidden, "a change with a session needs X-CSRF-Token: send the token of GET /api/me"};
  }
  return std::nullopt;
}

bool browser_has_https(const http::RequestHead& head, bool is_tls) { return is_tls || head.origin.starts_with(kHttps); }

std::string begin_cookie(std::string_view token, bool https) { return cookie(token, https); }

std::string end_cookie(bool https) { return cookie({}, https) + "; Max-Age=0"; }

}  // namespace yolod::app::api::account
