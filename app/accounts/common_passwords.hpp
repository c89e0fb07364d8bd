// The check for common passwords.
#pragma once

#include <string_view>

namespace yolod::app::accounts {

// Checks whether an attacker would try this password first. REQUIRES: `password` has small letters only. The list has
// well-known words. The check ignores digits and signs around them and reads the usual digits as letters. It is a
// pure function; any thread may call it.
[[nodiscard]] bool is_common_password(std::string_view password);

}  // namespace yolod::app::accounts
