// This file has IP addresses and ranges of IP addresses. They are plain values; any thread may call these functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/outcome.hpp"

struct sockaddr;

namespace yolod::common {

// An IPv4 or IPv6 address. An IPv4 address has the form ::ffff:a.b.c.d, so both spellings of it are equal.
class IpAddress {
 public:
  // Accepts the numeric form without a port, such as 192.0.2.7 or 2001:db8::1. Any byte may be in the text.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  // Returns nothing for other families than IPv4 and IPv6.
  [[nodiscard]] static std::optional<IpAddress> of(const sockaddr& address);

  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  [[nodiscard]] bool is_ipv4() const;
  [[nodiscard]] bool is_loopback() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// A range has all addresses with the same first bits.
class IpRange {
 public:
  // Accepts an address, or an address and the number of its first bits, such as 10.0.0.0/8 or 2001:db8::/32. The other
  // bits must be 0, and the range of all addresses is not allowed. The Error is kBadConfig, and its
  // message begins with "is not".
  [[nodiscard]] static Outcome<IpRange> parse(std::string_view text);

  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpAddress first_;
  unsigned bits_{0};  // of the 128
};

}  // namespace yolod::common
