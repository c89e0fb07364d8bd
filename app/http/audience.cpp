#include "app/http/audience.hpp"

namespace yolod::app::http {

using common::Error;
using common::ErrorCode;

// A page in a browser, and a program behind a proxy, are not the process that has the connection. So no request that
// either of them passes on may administer.
std::optional<Error> check_audience(const Route& route, const Peer& peer, bool admin_alone, const RequestHead& head) {
  if (!route.is_served_at(peer.role, admin_alone)) {
    return peer.role == net::ListenerRole::kAdmin
               ? Error{ErrorCode::kForbidden, "this path is for clients: ask at an address of server.listen"}
               : Error{ErrorCode::kForbidden, "this path is for the server's admins: ask at server.admin_listen"};
  }
  if (peer.role == net::ListenerRole::kPublic) return std::nullopt;
  if (!peer.may_administer) {
    return Error{
        ErrorCode::kForbidden,
        "only root and the server's own user may administer it, and no process that may descend from the server"};
  }
  if (head.forwarded) return Error{ErrorCode::kForbidden, "a proxy or a page in a browser may not administer"};
  return std::nullopt;
}

}  // namespace yolod::app::http
