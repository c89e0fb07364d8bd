#include "app/http/websocket_upgrade.hpp"

#include <algorithm>
#include <boost/beast/http/rfc7230.hpp>
#include <string_view>

#include "app/http/characters.hpp"

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

// Returns the host and port of an origin, or an empty text.
std::string_view host_of_origin(std::string_view origin) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return {};
}

// A proxy may replace the Host, so Origin counts only in browsers that send no Sec-Fetch-Site. A client that is not a
// browser sends neither, and has no session.
bool is_foreign(const RequestHead& head, const access::Caller& caller) {
  if (!head.fetch_site.empty()) return head.fetch_site != "same-origin";
  if (head.origin.empty()) return caller.kind == access::Caller::Kind::kSession;
  const auto host = host_of_origin(head.origin);
  return host.empty() || !equal_ignoring_case(host, head.host);
}

}  // namespace

std::optional<UpgradeRefusal> check_upgrade(const RequestHead& head, const access::Caller& caller) {
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
  if (is_foreign(head, caller)) {
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
