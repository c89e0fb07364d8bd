// Which names and passwords people may have. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace yolod::app::accounts {

// A name as it is stored: with small letters only. Empty if it is no name: 1 to 64 ASCII letters, digits, '.', '_',
// '-', '+' and '@', beginning with a letter or a digit.
[[nodiscard]] std::string canonical_name(std::string_view text);

// The name of a key: 1 to 64 bytes of UTF-8 without control characters.
[[nodiscard]] bool is_key_name(std::string_view text);

// Empty if a person of that name may have the password, else one sentence that says why not. A password is UTF-8 of 12
// to 128 characters, of any kind; its bytes are taken as they are, without Unicode normalisation. It is none of those
// that everybody tries first, no short piece again and again, no run of neighbours on the keyboard or in the alphabet,
// and does not consist of the person's name.
[[nodiscard]] std::string what_is_wrong_with_password(std::string_view password, std::string_view name);

}  // namespace yolod::app::accounts
