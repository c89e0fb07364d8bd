// TrustedProxies finds the client of a request that came through proxies of server.trusted_proxies.
//
//   client 203.0.113.9 --> proxy 10.0.0.5 --> proxy 127.0.0.1 --> this server
//                          X-Forwarded-For: 203.0.113.9, 10.0.0.5
//
// Each proxy appends the address of its client to X-Forwarded-For. So this class reads the list from its end: while an
// address is a trusted proxy, the address before it is also true. The first address that is no trusted proxy is the
// client. The addresses before it are ignored: the client may have written them.
//
// If a request has no X-Forwarded-For, the field Forwarded (RFC 7239) is read in the same way. If the next address
// cannot be read (RFC 7239 allows "unknown" and hidden names), the last proxy that could be read counts as the client.
//
// The front-end owns it and uses it on its only thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/access/forwarding.hpp"
#include "app/access/network.hpp"
#include "common/ip_address.hpp"

namespace yolod::app::access {

class TrustedProxies {
 public:
  // The most proxies between a client and this server. A longer list is not read further.
  static constexpr std::size_t kMostHops = 16;

  // REQUIRES: a valid config has these texts.
  void configure(const std::vector<std::string>& proxies);
  [[nodiscard]] bool trusts(const PeerAddress& peer) const;
  // Returns the network of the client. Without such fields this is the network of the peer. REQUIRES: trusts(peer).
  [[nodiscard]] Network client_of(const PeerAddress& peer, const Forwarding& forwarding) const;

 private:
  [[nodiscard]] bool trusts(const common::IpAddress& address) const;

  std::vector<common::IpRange> ranges_;
  bool trusts_unix_{false};
};

}  // namespace yolod::app::access
