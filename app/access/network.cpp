#include "app/access/network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace yolod::app::access {

Network Network::of(const common::IpAddress& address) {
  constexpr std::size_t kNetworkBytes = 8;
  constexpr std::size_t kBeforeIpv4 = 12;
  Network network;
  const auto* const bytes = address.bytes().begin();
  if (address.is_ipv4()) {
    std::copy_n(bytes + kBeforeIpv4, sizeof(in_addr), network.bytes_.begin());
    network.family_ = Family::kIpv4;
  } else {
    std::copy_n(bytes, kNetworkBytes, network.bytes_.begin());
    network.family_ = Family::kIpv6;
  }
  return network;
}

Network Network::hidden() {
  Network network;
  network.family_ = Family::kHidden;
  return network;
}

Network Network::site() const {
  if (family_ != Family::kIpv6) return *this;
  constexpr std::size_t kSiteBytes = 6;
  Network site;
  site.family_ = Family::kIpv6Site;
  std::copy_n(bytes_.begin(), kSiteBytes, site.bytes_.begin());
  return site;
}

Network Network::block() const {
  if (family_ == Family::kHidden) return *this;
  constexpr std::size_t kIpv4BlockBytes = 3;
  constexpr std::size_t kIpv6BlockBytes = 4;
  Network block;
  if (family_ == Family::kIpv4) {
    block.family_ = Family::kIpv4Block;
    std::copy_n(bytes_.begin(), kIpv4BlockBytes, block.bytes_.begin());
  } else if (is_known()) {
    block.family_ = Family::kIpv6Block;
    std::copy_n(bytes_.begin(), kIpv6BlockBytes, block.bytes_.begin());
  }
  return block;
}

std::string Network::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto written = [&](int family, const char* suffix) {
    inet_ntop(family, bytes_.data(), text.data(), text.size());
    return std::string(text.data()) + suffix;
  };
  switch (family_) {
    case Family::kNone: return "unix";
    case Family::kIpv4: return written(AF_INET, "");
    case Family::kIpv4Block: return written(AF_INET, "/24");
    case Family::kIpv6: return written(AF_INET6, "/64");
    case Family::kIpv6Site: return written(AF_INET6, "/48");
    case Family::kIpv6Block: return written(AF_INET6, "/32");
    case Family::kHidden: return "hidden";
  }
  return "unix";
}

namespace {

// Returns a number that only this process knows.
std::uint64_t secret_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

// Multiplies to 128 bits and folds them (the mixing step of wyhash).
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace

std::size_t NetworkHash::operator()(const Network& network) const noexcept {
  static const std::uint64_t kSeed = secret_seed();
  static const std::uint64_t kOtherSeed = secret_seed() | 1U;
  // A network has at most 8 bytes.
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, network.bytes_.data(), sizeof bytes);
  const auto family = static_cast<std::uint64_t>(network.family_);
  return mixed(mixed(bytes ^ kSeed, kOtherSeed) ^ family, kSeed | 1U);
}

}  // namespace yolod::app::access
