// The codec encodes and decodes messages. The decoder is strict: it refuses messages of another version, cut
// messages, extra bytes, and values that are not allowed. The functions are pure; any thread may call them.
//
// Every message begins with the protocol's version (2 bytes). The bytes are a Secret, because they may have passwords
// in them.
#pragma once

#include <optional>
#include <string_view>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts::protocol {

// The result is empty if a value is longer than messages.hpp allows.
[[nodiscard]] Secret encode(const Request& request);
[[nodiscard]] Secret encode(const Message& message);

[[nodiscard]] std::optional<Request> decode_request(std::string_view bytes);
[[nodiscard]] std::optional<Message> decode_message(std::string_view bytes);

// Reads the id of a request that does not decode, so that the service can answer it.
[[nodiscard]] std::optional<std::uint64_t> id_of_request(std::string_view bytes);

}  // namespace yolod::app::accounts::protocol
