// Messages as bytes and back. Strict: a message that another version wrote, that is cut, that has a byte too many, or
// in which any value is none of those allowed is nothing, whatever the bytes are. Pure functions; any thread.
//
// Every message begins with the protocol's version (2 bytes). What a message holds in passwords, the bytes hold as
// well: they are a Secret.
#pragma once

#include <optional>
#include <string_view>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts::protocol {

// Empty where a value is longer than it may be (messages.hpp).
[[nodiscard]] Secret encode(const Request& request);
[[nodiscard]] Secret encode(const Message& message);

[[nodiscard]] std::optional<Request> decode_request(std::string_view bytes);
[[nodiscard]] std::optional<Message> decode_message(std::string_view bytes);

// The id of a request that cannot be decoded, where as much as that can be read: so that it is answered.
[[nodiscard]] std::optional<std::uint64_t> id_of_request(std::string_view bytes);

}  // namespace yolod::app::accounts::protocol
