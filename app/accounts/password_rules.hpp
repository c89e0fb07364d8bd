// The functions below check names and passwords and are pure. Any thread may call them.
#pragma once

#include <string>
#include <string_view>

namespace yolod::app::accounts {

// Returns the name with small letters, as the database has it. The result is empty if the text is not a valid name. A
// name has 1 to 64 ASCII letters, digits, '.', '_', '-', '+' and '@', and begins with a letter or a digit.
[[nodiscard]] std::string canonical_name(std::string_view text);

// The name of a key has 1 to 64 bytes of UTF-8 and no control characters.
[[nodiscard]] bool is_key_name(std::string_view text);

// Returns an empty text if a person of that name may have the password, else a sentence that says why not. A password
// has 12 to 128 characters of UTF-8 of any kind. Its bytes count as they are, without Unicode normalisation. Common
// passwords, repeated pieces, runs along the keyboard or the alphabet, and the name itself are not allowed.
[[nodiscard]] std::string what_is_wrong_with_password(std::string_view password, std::string_view name);

}  // namespace yolod::app::accounts
