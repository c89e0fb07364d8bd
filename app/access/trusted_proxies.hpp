// TrustedProxies finds the client of a request that came through proxies of server.trusted_proxies.
//
//   client 203.0.113.9 --> proxy 10.0.0.5 --> proxy 127.0.0.1 --> this server
//                          X-Forwarded-For: 203.0.113.9, 10.0.0.5
//
// server.forwarded_header names the field to which each proxy appends the address of its client. So this class reads
// the list from its end: while an address is a trusted proxy, the address before it is also true. The first address
// that is no trusted proxy is the client. The addresses before it are ignored: the client may have written them.
//
// Forwarded (RFC 7239) is read in the same way. The other field is ignored, because a client may have written it. If
// the next address cannot be read (RFC 7239 allows "unknown" and hidden names), the last proxy that could be read
// counts as the client. A client can make a field unreadable. It must gain nothing by that, and a unix socket has no
// limits while a loopback address has wide limits for log-ins. So all such clients behind these count as
// Network::hidden().
//
// The front-end owns it and uses it on its only thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/access/forwarding.hpp"
#include "app/access/network.hpp"
#include "common/config/server_config.hpp"
#include "common/ip_address.hpp"

namespace yolod::app::access {

class TrustedProxies {
 public:
  // The most proxies between a client and this server. A longer list is not read further.
  static constexpr std::size_t kMostHops = 16;

  // REQUIRES: a valid config has these texts.
  void configure(const std::vector<std::string>& proxies, common::ForwardedHeader header);
  [[nodiscard]] bool trusts(const PeerAddress& peer) const;
  // Returns whether the request has the field that counts.
  [[nodiscard]] bool reads(const Forwarding& forwarding) const;
  // Returns the network of the client. Without the field this is the network of the peer, or Network::hidden() for a
  // unix socket. REQUIRES: trusts(peer).
  [[nodiscard]] Network client_of(const PeerAddress& peer, const Forwarding& forwarding) const;

 private:
  [[nodiscard]] bool trusts(const common::IpAddress& address) const;

  std::vector<common::IpRange> ranges_;
  bool trusts_unix_{false};
  common::ForwardedHeader header_{common::ForwardedHeader::kXForwardedFor};
};

}  // namespace yolod::app::access
