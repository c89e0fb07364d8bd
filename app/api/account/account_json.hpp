// Writes the people, keys and scopes of accounts as JSON, and reads the names of scopes. Times are seconds since 1970;
// 0 means never. Any thread may call these functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "app/accounts/protocol/messages.hpp"
#include "app/http/text_buffer.hpp"

namespace yolod::app::api::account {

[[nodiscard]] std::optional<std::uint32_t> scope_named(std::string_view name);

[[nodiscard]] std::string_view to_string(accounts::protocol::Role role);

// Appends a list of names: ["models","predict"].
void add_scopes(http::TextBuffer& out, std::uint32_t scopes);
void add_key(http::TextBuffer& out, const accounts::protocol::KeyRecord& key);
void add_person(http::TextBuffer& out, const accounts::protocol::PersonRecord& person);

// Appends {"success":true,"NAME":[...],"more":false} with the items of a page, as `add_item` writes each of them.
template <typename Item>
void add_page(http::TextBuffer& out, std::string_view name, const std::vector<Item>& items, bool more,
              void (*add_item)(http::TextBuffer& out, const Item& item)) {
  out += R"({"success":true,")";
  out += name;
  out += "\":[";
  for (const Item& item : items) {
    if (&item != &items.front()) out += ',';
    add_item(out, item);
  }
  out += more ? std::string_view(R"(],"more":true})") : std::string_view(R"(],"more":false})");
}

}  // namespace yolod::app::api::account
