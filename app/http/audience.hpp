// Who may ask a route: the listener that a request came to, and the process at the other end of the connection, decide.
// Pure; any thread.
#pragma once

#include <optional>

#include "app/http/request_head.hpp"
#include "app/http/router.hpp"
#include "app/net/listener_role.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

struct Peer {
  net::ListenerRole role;
  bool may_administer;  // net::may_administer(), asked when the connection was accepted
};

// Why this request may not ask `route`: kForbidden; nothing if it may. `admin_alone`: server.admin_listen names an
// address.
[[nodiscard]] std::optional<common::Error> check_audience(const Route& route, const Peer& peer, bool admin_alone,
                                                          const RequestHead& head);

}  // namespace yolod::app::http
