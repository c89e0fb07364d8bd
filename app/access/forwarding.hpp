// The other end of a connection, and the texts with which proxies say which client a request comes from. Plain values;
// any thread may use a copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/access/network.hpp"
#include "common/ip_address.hpp"

namespace yolod::app::access {

class PeerAddress {
 public:
  // A socket without an address.
  PeerAddress() = default;
  explicit PeerAddress(const common::IpAddress& address) : kind_(Kind::kIp), address_(address) {}
  // Returns the address of the other end of this connected socket.
  [[nodiscard]] static PeerAddress of(int socket);
  [[nodiscard]] static PeerAddress unix_socket();

  [[nodiscard]] bool is_unix() const { return kind_ == Kind::kUnix; }
  [[nodiscard]] bool is_ip() const { return kind_ == Kind::kIp; }
  // Returns whether the other end runs on this machine.
  [[nodiscard]] bool is_local() const;
  // REQUIRES: is_ip().
  [[nodiscard]] const common::IpAddress& ip() const { return address_; }
  [[nodiscard]] Network network() const { return is_ip() ? Network::of(address_) : Network(); }

 private:
  enum class Kind : std::uint8_t { kNone, kUnix, kIp };
  Kind kind_{Kind::kNone};
  common::IpAddress address_{};
};

// The values of the header fields with the same name, in their order. The object keeps only the last
// values. A proxy appends its value to the list.
class LastValues {
 public:
  static constexpr std::size_t kMost = 4;
  void add(std::string_view value) { values_[added_++ % kMost] = value; }
  [[nodiscard]] bool empty() const { return added_ == 0; }
  [[nodiscard]] std::size_t size() const { return added_ < kMost ? added_ : kMost; }
  // Returns the value that is `index` before the last. REQUIRES: index < size().
  [[nodiscard]] std::string_view from_end(std::size_t index) const { return values_[(added_ - 1 - index) % kMost]; }

 private:
  std::array<std::string_view, kMost> values_{};
  std::size_t added_{0};
};

struct Forwarding {
  LastValues x_forwarded_for;
  LastValues forwarded;  // RFC 7239
  [[nodiscard]] bool empty() const { return x_forwarded_for.empty() && forwarded.empty(); }
};

}  // namespace yolod::app::access
