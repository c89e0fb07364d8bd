#include "app/access/forwarding.hpp"

#include <sys/socket.h>

namespace yolod::app::access {

PeerAddress PeerAddress::unix_socket() {
  PeerAddress peer;
  peer.kind_ = Kind::kUnix;
  return peer;
}

PeerAddress PeerAddress::of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family == AF_UNIX) return unix_socket();
  const auto ip = common::IpAddress::of(reinterpret_cast<const sockaddr&>(address));
  return ip ? PeerAddress(*ip) : PeerAddress();
}

bool PeerAddress::is_local() const { return is_unix() || (is_ip() && address_.is_loopback()); }

}  // namespace yolod::app::access
