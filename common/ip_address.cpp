#include "common/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace yolod::common {
namespace {

constexpr std::size_t kIpv4Begin = 12;  // of the bytes ::ffff:a.b.c.d
constexpr unsigned kIpv4Bits = 32;
constexpr unsigned kAllBits = 128;
constexpr std::array<std::uint8_t, kIpv4Begin> kIpv4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// Returns whether the bits from `begin` on are 0.
bool is_zero_from(const std::array<std::uint8_t, 16>& bytes, unsigned begin) {
  for (unsigned bit = begin; bit < kAllBits; ++bit) {
    if ((bytes[bit / 8] & (0x80U >> (bit % 8))) != 0) return false;
  }
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> room{};  // inet_pton() needs a NUL at the end
  if (text.empty() || text.size() >= room.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), room.begin());
  IpAddress address;
  std::copy(kIpv4Prefix.begin(), kIpv4Prefix.end(), address.bytes_.begin());
  if (inet_pton(AF_INET, room.data(), address.bytes_.data() + kIpv4Begin) == 1) return address;
  if (inet_pton(AF_INET6, room.data(), address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::of(const sockaddr& address) {
  IpAddress result;
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    std::copy(kIpv4Prefix.begin(), kIpv4Prefix.end(), result.bytes_.begin());
    std::memcpy(result.bytes_.data() + kIpv4Begin, &ipv4.sin_addr, sizeof ipv4.sin_addr);
    return result;
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    std::memcpy(result.bytes_.data(), &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
    return result;
  }
  return std::nullopt;
}

bool IpAddress::is_ipv4() const { return std::equal(kIpv4Prefix.begin(), kIpv4Prefix.end(), bytes_.begin()); }

bool IpAddress::is_loopback() const {
  constexpr std::uint8_t kLoopbackNet = 127;
  if (is_ipv4()) return bytes_[kIpv4Begin] == kLoopbackNet;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; }) && bytes_.back() == 1;
}

Outcome<IpRange> IpRange::parse(std::string_view text) {
  const auto bad = [](const char* why) { return Error{ErrorCode::kBadConfig, why}; };
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return bad("is not an address, allowed: an address such as 10.0.0.5, or a range such as 10.0.0.0/8");
  IpRange range;
  range.first_ = *address;
  range.bits_ = kAllBits;
  if (slash == std::string_view::npos) return range;
  // An address with a colon has 128 bits, also if it spells an IPv4 address.
  const bool is_short = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned most = is_short ? kIpv4Bits : kAllBits;
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (failure != std::errc{} || end != digits.data() + digits.size() || bits == 0 || bits > most) {
    return bad(is_short ? " is not a range, allowed: /1 to /32 after an IPv4 address"
                        : "is not a range, allowed: /1 to /128 after an IPv6 address");
  }
  range.bits_ = bits + kAllBits - most;
  if (!is_zero_from(address->bytes(), range.bits_)) {
    return bad("is not a range, because bits after its prefix are not 0");
  }
  return range;
}

bool IpRange::contains(const IpAddress& address) const {
  const unsigned whole = bits_ / 8;
  const auto& bytes = address.bytes();
  const auto& first = first_.bytes();
  if (!std::equal(first.begin(), first.begin() + whole, bytes.begin())) return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || ((first[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace yolod::common
