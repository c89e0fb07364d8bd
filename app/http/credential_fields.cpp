#include "app/http/credential_fields.hpp"

#include "app/http/characters.hpp"
#include "common/text.hpp"

namespace yolod::app::http {
namespace {

constexpr std::string_view kBlanks = " \t";

}  // namespace

bool is_key_field(std::string_view name) {
  return equal_ignoring_case(name, "X-API-Key") || equal_ignoring_case(name, "doods-auth-key");
}

void CredentialFields::authorization(std::string_view value) {
  constexpr std::string_view kScheme = "Bearer";
  value = common::trimmed(value);
  const auto end = value.find_first_of(kBlanks);
  if (end == std::string_view::npos || !equal_ignoring_case(value.substr(0, end), kScheme)) return;
  take(access::Credential::Kind::kKey, value.substr(end));
}

void CredentialFields::cookie(std::string_view value) {
  while (!value.empty()) {
    const auto end = value.find(';');
    const auto pair = common::trimmed(value.substr(0, end));
    value = end == std::string_view::npos ? std::string_view() : value.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == kSessionCookie.size() && pair.starts_with(kSessionCookie)) {
      take(access::Credential::Kind::kSession, pair.substr(equals + 1));
    }
  }
}

void CredentialFields::take(access::Credential::Kind kind, std::string_view token) {
  token = common::trimmed(token);
  if (token.empty()) return;
  if (found_.kind == access::Credential::Kind::kNone) {
    found_ = {kind, token};
  } else if (found_.kind != kind || found_.token != token) {
    found_.is_ambiguous = true;
  }
}

}  // namespace yolod::app::http
