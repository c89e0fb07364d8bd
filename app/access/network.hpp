// The network of a client: its IPv4 address, or the /64 of its IPv6 address. A household or a machine usually has a
// whole /64, so its addresses count as one client. A customer of a data centre often has a /48, which is 65,536
// networks. site() is the same for all of them. Plain value; any thread may use a copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/ip_address.hpp"

namespace yolod::app::access {

class Network {
 public:
  // The client of a unix socket, which has no address.
  Network() = default;
  [[nodiscard]] static Network of(const common::IpAddress& address);
  // Returns the network of all clients for which a proxy on this machine tells no address. They count as a single
  // client.
  [[nodiscard]] static Network hidden();

  [[nodiscard]] bool is_known() const { return family_ != Family::kNone; }
  // The bytes of the address, the rest is 0. An IPv4 address uses the first four.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  // Returns the IPv4 address itself, or the /48 of an IPv6 network.
  [[nodiscard]] Network site() const;
  // Returns the /24 of an IPv4 address, or the /32 of an IPv6 network. Few clients have several of these blocks.
  [[nodiscard]] Network block() const;
  // Returns a text such as "192.0.2.7", "2001:db8:1:2::/64", "2001:db8:1::/48", "hidden" or "unix".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Network&, const Network&) = default;

 private:
  enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kIpv6Site, kIpv4Block, kIpv6Block, kHidden };
  Family family_{Family::kNone};
  std::array<std::uint8_t, 16> bytes_{};

  friend struct NetworkHash;
};

// Each process hashes with its own random seeds. So an attacker cannot choose networks whose hashes are equal.
struct NetworkHash {
  [[nodiscard]] std::size_t operator()(const Network& network) const noexcept;
};

}  // namespace yolod::app::access
