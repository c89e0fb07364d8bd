// Checks whether a client may use a route. The listener that accepted the connection and the process at its other
// end decide. The function is pure; any thread may call it.
#pragma once

#include <optional>

#include "app/http/request_head.hpp"
#include "app/http/router.hpp"
#include "app/net/listener_role.hpp"
#include "common/config/server_config.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

struct Peer {
  net::ListenerRole role;
  bool may_administer;  // net::may_administer() at the time of accept()
};

// Returns whether server.admin_listen names an address. Then only the admin listener serves /status and /metrics, and
// manages people and the keys of others.
[[nodiscard]] bool is_admin_alone(const common::ServerConfig& config);

// Returns kForbidden with the reason if this request may not use `route`, and nothing if it may. `admin_alone` is
// the result of is_admin_alone().
[[nodiscard]] std::optional<common::Error> check_audience(const Route& route, const Peer& peer, bool admin_alone,
                                                          const RequestHead& head);

}  // namespace yolod::app::http
