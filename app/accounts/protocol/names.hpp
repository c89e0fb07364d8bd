// The functions below check the names of people and keys, and are pure. Any thread may call them.
#pragma once

#include <string>
#include <string_view>

namespace yolod::app::accounts::protocol {

// Returns the name of a person with small letters, as the database has it. The result is empty if the text is not a
// valid name. A name has 1 to 64 ASCII letters, digits, '.', '_', '-', '+' and '@', and begins with a letter or a
// digit.
[[nodiscard]] std::string canonical_name(std::string_view text);

// The name of a key has 1 to 64 bytes of UTF-8 and no control characters.
[[nodiscard]] bool is_key_name(std::string_view text);

}  // namespace yolod::app::accounts::protocol
