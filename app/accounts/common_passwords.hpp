// Passwords that are tried first.
#pragma once

#include <string_view>

namespace yolod::app::accounts {

// `password` in small letters. The list has well-known words and phrases; digits and signs before and behind them, and
// the usual digits in place of letters, are seen through. Pure; any thread.
[[nodiscard]] bool is_common_password(std::string_view password);

}  // namespace yolod::app::accounts
