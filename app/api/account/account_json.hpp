// Writes the people, keys and scopes of accounts as JSON, and reads the names of scopes. Times are seconds since 1970;
// 0 means never. Any thread may call these functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/accounts/protocol/messages.hpp"
#include "app/http/text_buffer.hpp"

namespace yolod::app::api::account {

[[nodiscard]] std::optional<std::uint32_t> scope_named(std::string_view name);

[[nodiscard]] std::string_view to_string(accounts::protocol::Role role);

// Appends a list of names: ["models","predict"].
void add_scopes(http::TextBuffer& out, std::uint32_t scopes);
void add_key(http::TextBuffer& out, const accounts::protocol::KeyRecord& key);
void add_person(http::TextBuffer& out, const accounts::protocol::PersonRecord& person);

}  // namespace yolod::app::api::account
