#include "app/http/audience.hpp"

#include "common/system/runtime_directory.hpp"

namespace yolod::app::http {

using common::Error;
using common::ErrorCode;

bool is_admin_alone(const common::ServerConfig& config) {
  return !config.admin_listen.empty() && config.admin_listen != common::kAdminListenAuto;
}

// The other end of the connection can be a proxy, or a browser that runs a page of another site. Such a process
// passes on the requests of others, so none of these may administer the server.
std::optional<Error> check_audience(const Route& route, const Peer& peer, bool admin_alone, const RequestHead& head) {
  if (!route.is_served_at(peer.role, admin_alone)) {
    return peer.role == net::ListenerRole::kAdmin
               ? Error{ErrorCode::kForbidden,
                       "this path is not served at the admin address: use an address of server.listen"}
               : Error{ErrorCode::kForbidden, "this path is only for admins: use server.admin_listen"};
  }
  if (peer.role == net::ListenerRole::kPublic) return std::nullopt;
  if (!peer.may_administer) {
    return Error{ErrorCode::kForbidden,
                 "only root and the server's user may administer the server, but not from a process that the server "
                 "may have started"};
  }
  if (head.forwarded)
    return Error{ErrorCode::kForbidden, "a proxy or a page in a browser may not administer the server"};
  return std::nullopt;
}

}  // namespace yolod::app::http
