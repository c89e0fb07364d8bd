#include "app/api/account/account_json.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/text.hpp"

namespace yolod::app::api::account {
namespace {

namespace protocol = accounts::protocol;

struct NamedScope {
  std::string_view name;
  std::uint32_t scope;
};
constexpr std::array kNamedScopes{NamedScope{"models", protocol::kScopeModels},
                                  NamedScope{"predict", protocol::kScopePredict},
                                  NamedScope{"load", protocol::kScopeLoad}, NamedScope{"admin", protocol::kScopeAdmin}};

// Appends ,"name":value.
void add_number(http::TextBuffer& out, std::string_view name, std::int64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  out.add_whole(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
}
void add_text(http::TextBuffer& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  out.add_json(common::as_utf8(value));
}

}  // namespace

std::optional<std::uint32_t> scope_named(std::string_view name) {
  const auto* const found = std::find_if(kNamedScopes.begin(), kNamedScopes.end(),
                                         [name](const NamedScope& one) { return one.name == name; });
  if (found == kNamedScopes.end()) return std::nullopt;
  return found->scope;
}

std::string_view to_string(protocol::Role role) { return role == protocol::Role::kAdmin ? "admin" : "user"; }

void add_scopes(http::TextBuffer& out, std::uint32_t scopes) {
  out += '[';
  bool is_first = true;
  for (const auto& [name, scope] : kNamedScopes) {
    if ((scopes & scope) == 0) continue;
    if (!std::exchange(is_first, false)) out += ',';
    out.add_json(name);
  }
  out += ']';
}

void add_key(http::TextBuffer& out, const protocol::KeyRecord& key) {
  out += "{\"id\":";
  out.add_whole(static_cast<std::uint64_t>(key.id));
  add_text(out, "name", key.name);
  add_text(out, "owner", key.owner);
  add_text(out, "head", key.head);
  add_text(out, "tail", key.tail);
  out += ",\"scopes\":";
  add_scopes(out, key.scopes);
  add_number(out, "rate", key.rate);
  add_number(out, "in_flight", key.in_flight);
  add_number(out, "created", key.created);
  add_number(out, "expires", key.expires);
  add_number(out, "last_used", key.last_used);
  add_number(out, "revoked", key.revoked);
  out += '}';
}

void add_person(http::TextBuffer& out, const protocol::PersonRecord& person) {
  out += "{\"id\":";
  out.add_whole(static_cast<std::uint64_t>(person.id));
  add_text(out, "name", person.name);
  add_text(out, "role", to_string(person.role));
  add_number(out, "created", person.created);
  add_number(out, "disabled", person.disabled);
  out += '}';
}

}  // namespace yolod::app::api::account
