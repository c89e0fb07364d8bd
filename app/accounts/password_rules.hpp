// The function below checks passwords and is pure. Any thread may call it.
#pragma once

#include <string>
#include <string_view>

namespace yolod::app::accounts {

// Returns an empty text if a person of that name may have the password, else a sentence that says why not. A password
// has 12 to 128 characters of UTF-8 of any kind. Its bytes count as they are, without Unicode normalisation. Common
// passwords, repeated pieces, runs along the keyboard or the alphabet, and the name itself are not allowed.
[[nodiscard]] std::string what_is_wrong_with_password(std::string_view password, std::string_view name);

}  // namespace yolod::app::accounts
