#include "app/http/websocket_upgrade.hpp"

#include <algorithm>
#include <boost/beast/http/rfc7230.hpp>
#include <string_view>

#include "app/http/characters.hpp"
#include "app/http/cors.hpp"
#include "app/http/page_origin.hpp"

namespace yolod::app::http {
namespace {

using boost::beast::http::status;
using common::Error;
using common::ErrorCode;

// Returns whether the text is 16 bytes in base64.
bool is_websocket_key(std::string_view text) {
  constexpr std::size_t kDigits = 22;
  return text.size() == kDigits + 2 && text.ends_with("==") &&
         std::all_of(text.begin(), text.begin() + kDigits,
                     [](char c) { return is_letter_or_digit(c) || c == '+' || c == '/'; });
}

// A client that is not a browser says nothing about a page, and has no session.
bool is_foreign(const RequestHead& head, const access::Caller& caller, const common::CorsConfig& cors) {
  const bool has_session = caller.kind == access::Caller::Kind::kSession;
  switch (page_origin_of(head)) {
    case PageOrigin::kOwn: return false;
    case PageOrigin::kNone: return has_session;
    case PageOrigin::kForeign: break;
  }
  return allowed_origin(cors, head.origin).empty() || (has_session && !cors.credentials);
}

}  // namespace

std::optional<UpgradeRefusal> check_upgrade(const RequestHead& head, const access::Caller& caller,
                                            const common::CorsConfig& cors) {
  boost::beast::http::token_list protocols({head.upgrade.data(), head.upgrade.size()});
  if (head.method != boost::beast::http::verb::get || !head.asks_for_upgrade || !protocols.exists("websocket")) {
    return UpgradeRefusal{
        status::upgrade_required,
        {ErrorCode::kBadRequest, "this path is a WebSocket: send Connection: Upgrade and Upgrade: websocket"}};
  }
  if (head.websocket_version != "13") {
    return UpgradeRefusal{status::upgrade_required,
                          {ErrorCode::kBadRequest, "Sec-WebSocket-Version must be 13, the version of RFC 6455"}};
  }
  if (head.version != 11) {
    return UpgradeRefusal{status::bad_request, {ErrorCode::kBadRequest, "a WebSocket needs HTTP/1.1"}};
  }
  if (head.has_body()) {
    return UpgradeRefusal{status::bad_request,
                          {ErrorCode::kBadRequest, "a request that begins a WebSocket has no body"}};
  }
  if (!is_websocket_key(head.websocket_key)) {
    return UpgradeRefusal{status::bad_request,
                          {ErrorCode::kBadRequest, "Sec-WebSocket-Key must be 16 bytes in base64"}};
  }
  if (is_foreign(head, caller, cors)) {
    return UpgradeRefusal{status::forbidden,
                          {ErrorCode::kForbidden, "a page of another site may not open a WebSocket of this server"}};
  }
  return std::nullopt;
}

void finish_refusal(const UpgradeRefusal& refusal, Response& response) {
  response.status = refusal.status;
  if (refusal.status != status::upgrade_required) return;
  add_field(response, "Upgrade", "websocket");
  add_field(response, "Sec-WebSocket-Version", "13");
}

}  // namespace yolod::app::http
