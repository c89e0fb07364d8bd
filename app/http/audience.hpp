// Checks whether a client may use a route. The listener that accepted the connection and the process at its other
// end decide. The function is pure; any thread may call it.
#pragma once

#include <optional>

#include "app/http/request_head.hpp"
#include "app/http/router.hpp"
#include "app/net/listener_role.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

struct Peer {
  net::ListenerRole role;
  bool may_administer;  // net::may_administer() at the time of accept()
};

// Returns kForbidden with the reason if this request may not use `route`, and nothing if it may. `admin_alone` is
// true if server.admin_listen names an address.
[[nodiscard]] std::optional<common::Error> check_audience(const Route& route, const Peer& peer, bool admin_alone,
                                                          const RequestHead& head);

}  // namespace yolod::app::http
