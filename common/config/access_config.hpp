// The settings that say who may use the server, as plain values. common/config/schema.hpp reads them. Any thread may
// use a copy.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/clock.hpp"

namespace yolod::common {

enum class AccessMode {
  kOpen,  // every client may predict
  kKeys,  // every request needs an API key or a session
};

// Says which people may register.
enum class RegisterPolicy : std::uint8_t {
  kClosed,  // only an admin adds people
  kInvite,  // people with an invitation
  kOpen,    // every client
};

// 0 is no limit.
struct KeyLimits {
  std::uint32_t requests_per_second{0};
  std::uint32_t requests_in_flight{0};
  friend bool operator==(const KeyLimits&, const KeyLimits&) = default;
};

// An address is an IPv4 address or the /64 of an IPv6 address. 0 is no limit.
struct AddressLimits {
  std::uint32_t requests_per_second{0};
  std::uint32_t requests_in_flight{0};
  std::uint32_t connections{0};
  friend bool operator==(const AddressLimits&, const AddressLimits&) = default;
};

struct AccessConfig {
  AccessMode mode{AccessMode::kOpen};
  // Keys and sessions stay valid for this time without yolod-accounts, which could revoke them.
  milliseconds max_stale{300'000};
  KeyLimits per_key;
  AddressLimits per_address;
  std::filesystem::path audit_log;  // empty: none
  RegisterPolicy register_policy{RegisterPolicy::kClosed};
  // A session ends after this time without a request, and after its lifetime in any case.
  milliseconds session_idle{std::chrono::minutes(30)};
  milliseconds session_lifetime{std::chrono::hours(12)};
  friend bool operator==(const AccessConfig&, const AccessConfig&) = default;
};

}  // namespace yolod::common
