// The database stores this time.
#pragma once

#include <chrono>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts {

[[nodiscard]] inline protocol::Seconds wall_clock_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace yolod::app::accounts
