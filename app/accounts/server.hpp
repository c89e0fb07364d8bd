// The event loop of yolod-accounts serves the socket and the mailbox.
#pragma once

#include "app/accounts/protocol/messages.hpp"
#include "app/accounts/service.hpp"

namespace yolod::app::accounts {

// Serves until the front-end has closed its end. Then it finishes the pending requests, for at most a second. The
// main thread calls it.
void serve_front_end(int socket, Service& service, const protocol::Hello& hello);

}  // namespace yolod::app::accounts
