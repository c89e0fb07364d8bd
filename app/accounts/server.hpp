// The event loop of yolod-accounts: one socket, and what threads post.
#pragma once

#include "app/accounts/protocol/messages.hpp"
#include "app/accounts/service.hpp"

namespace yolod::app::accounts {

// Serves until the front-end has closed its end, and then what it was asked to do, for at most a second. The main
// thread.
void serve_front_end(int socket, Service& service, const protocol::Hello& hello);

}  // namespace yolod::app::accounts
