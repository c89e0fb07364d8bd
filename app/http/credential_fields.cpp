#include "app/http/credential_fields.hpp"

#include "app/http/characters.hpp"
#include "common/text.hpp"

namespace yolod::app::http {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kQueryKey = "api_key";

void take(access::Credential& found, access::Credential::Kind kind, std::string_view token) {
  token = common::trimmed(token);
  if (token.empty()) return;
  if (found.kind == access::Credential::Kind::kNone) {
    found = {kind, token};
  } else if (found.kind != kind || found.token != token) {
    found.is_ambiguous = true;
  }
}

}  // namespace

bool is_key_field(std::string_view name) {
  return equal_ignoring_case(name, "X-API-Key") || equal_ignoring_case(name, "doods-auth-key");
}

void CredentialFields::authorization(std::string_view value) {
  constexpr std::string_view kScheme = "Bearer";
  value = common::trimmed(value);
  const auto end = value.find_first_of(kBlanks);
  if (end == std::string_view::npos || !equal_ignoring_case(value.substr(0, end), kScheme)) return;
  take(found_, access::Credential::Kind::kKey, value.substr(end));
}

void CredentialFields::cookie(std::string_view value) {
  while (!value.empty()) {
    const auto end = value.find(';');
    const auto pair = common::trimmed(value.substr(0, end));
    value = end == std::string_view::npos ? std::string_view() : value.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = pair.substr(0, equals);
    if (name == kSessionCookie) take(found_, access::Credential::Kind::kSession, pair.substr(equals + 1));
    if (name == kPlainSessionCookie) take(plain_session_, access::Credential::Kind::kSession, pair.substr(equals + 1));
  }
}

bool CredentialFields::subprotocols(std::string_view value) {
  bool is_offered = false;
  while (!value.empty()) {
    const auto end = value.find(',');
    const auto name = common::trimmed(value.substr(0, end));
    value = end == std::string_view::npos ? std::string_view() : value.substr(end + 1);
    is_offered |= name == kSubprotocol;
    if (name.starts_with(kKeySubprotocol)) {
      take(found_, access::Credential::Kind::kKey, name.substr(kKeySubprotocol.size()));
    }
  }
  return is_offered;
}

void CredentialFields::key(std::string_view value) { take(found_, access::Credential::Kind::kKey, value); }

access::Credential credential_with_query(const access::Credential& found, const RequestTarget::Query& query) {
  access::Credential all = found;
  for (const auto& [name, value] : query) {
    if (name == kQueryKey) take(all, access::Credential::Kind::kKey, value);
  }
  return all;
}

access::Credential credential_without_tls(const access::Credential& found, const access::Credential& plain_session) {
  // A browser that has used the server with and without HTTPS sends both cookies. No other site can set the first one.
  if (plain_session.kind == access::Credential::Kind::kNone || found.kind == access::Credential::Kind::kSession) {
    return found;
  }
  if (found.kind == access::Credential::Kind::kNone) return plain_session;
  access::Credential both = found;
  both.is_ambiguous = true;
  return both;
}

}  // namespace yolod::app::http
