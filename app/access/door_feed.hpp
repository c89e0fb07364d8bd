// Connects the client of yolod-accounts with the Door: its messages feed the Door's table.
#pragma once

#include "app/access/accounts_client.hpp"
#include "app/access/door.hpp"

namespace yolod::app::access {

// `door` outlives the result. Only the thread of the front-end may use it.
[[nodiscard]] KnownKeys known_keys_of(Door& door);

}  // namespace yolod::app::access
