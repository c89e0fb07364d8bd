// Limits keeps each client within access.per_key and access.per_address: requests a second, requests in flight, and
// connections.
//
// A client is counted by its address (Network: an IPv4 address or the /64 of an IPv6 address). All networks of a /48
// together may have kNetworksOfSite times as much as one address, so that an owner of 65,536 networks is one client
// among others. A client with a credential is also counted: as the person who owns its session or key, or else by its
// key. A key with its own limit counts alone. Clients of a unix socket have no address, so only their keys count.
//
// Memory is bounded. Requests in flight and connections are counted for open connections only, and a connection has one
// request at a time. Rates are in tables of fixed size (app/access/rate_table).
//
// The front-end owns it and uses it on its only thread. It outlives all presences and tickets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "app/access/caller.hpp"
#include "app/access/network.hpp"
#include "app/access/rate_table.hpp"
#include "common/clock.hpp"
#include "common/config/access_config.hpp"
#include "common/error.hpp"

namespace yolod::app::access {

enum class Limit : std::uint8_t {
  kKeyRate,
  kKeyInFlight,
  kAddressRate,
  kAddressInFlight,
  kAddressConnections,
};
inline constexpr std::size_t kLimitCount = 5;

// Returns the key of the config that sets the limit, such as "per_key.requests_per_second".
[[nodiscard]] std::string_view config_key_of(Limit limit);
// Returns the error that the client receives. Its code is kTooManyRequests.
[[nodiscard]] common::Error explain(Limit limit);

class Limits {
 private:
  struct AtAddress {
    std::uint32_t connections{0};
    std::uint32_t in_flight{0};
  };
  using Addresses = std::unordered_map<Network, AtAddress, NetworkHash>;
  struct Sender {  // a key or a person
    Caller::Kind kind{Caller::Kind::kAnonymous};
    std::uint64_t id{0};
    friend bool operator==(const Sender&, const Sender&) = default;
  };
  struct SenderHash {
    std::size_t operator()(const Sender& sender) const noexcept;
  };
  using Senders = std::unordered_map<Sender, std::uint32_t, SenderHash>;

 public:
  static constexpr std::uint32_t kNetworksOfSite = 16;

  Limits() = default;
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;
  ~Limits() = default;

  // The new limits hold for later requests and connections.
  void configure(const common::KeyLimits& per_key, const common::AddressLimits& per_address) {
    per_key_ = per_key;
    per_address_ = per_address;
  }

  // A Presence counts one connection. The connection owns it.
  class Presence {
   public:
    Presence(Limits& limits, const Network& network);
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    ~Presence();
    // Returns whether the client had too many connections when this connection began.
    [[nodiscard]] bool is_excess() const { return is_excess_; }

   private:
    friend class Limits;
    Limits& limits_;
    Addresses::value_type* address_{nullptr};  // null: a unix socket, or a proxy
    Addresses::value_type* site_{nullptr};     // null: the address is its own site
    bool is_excess_{false};
  };

  // A Ticket counts one request in flight, from take() to its destruction or clear(). The connection owns it.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { clear(); }
    void clear();

   private:
    friend class Limits;
    Limits* limits_{nullptr};
    Addresses::value_type* address_{nullptr};  // null: not counted at its address
    Addresses::value_type* site_{nullptr};     // null: not counted at its site
    Senders::value_type* sender_{nullptr};     // null: not counted for a key
  };

  // Counts a request of that connection, before its credential is checked. `client` is the network of the connection,
  // or another network if a proxy forwards the request. Returns the limit that refuses it, and counts nothing then.
  // REQUIRES: `ticket` is clear.
  [[nodiscard]] std::optional<Limit> take(const Presence& presence, const Network& client,
                                          common::Clock::time_point now, Ticket& ticket);
  // Counts the request for its key or person as well, after the credential is checked. A caller without a credential
  // has no such limit. If a limit refuses the request, the caller must clear the ticket.
  [[nodiscard]] std::optional<Limit> take(const Caller& caller, common::Clock::time_point now, Ticket& ticket);

  // For tests.
  [[nodiscard]] std::size_t address_count() const { return addresses_.size(); }
  [[nodiscard]] std::size_t sender_count() const { return senders_.size(); }
  [[nodiscard]] std::size_t rate_memory_bytes() const {
    return address_rates_.memory_bytes() + sender_rates_.memory_bytes();
  }

 private:
  [[nodiscard]] bool take_address_rate(const Network& client, common::Clock::time_point now);
  [[nodiscard]] bool has_too_many_in_flight(const Network& network, std::uint64_t limit) const;
  // Returns what counts the requests of a caller with a credential. A key with its own limit counts alone.
  [[nodiscard]] static Sender sender_of(const Caller& caller, bool has_own_limit);
  // Frees the entry of an address that has neither a connection nor a request.
  void forget_idle(Addresses::value_type* address);

  common::KeyLimits per_key_;
  common::AddressLimits per_address_;
  Addresses addresses_;  // with an open connection or a request in flight; sites too
  Senders senders_;      // with a request in flight
  RateTable address_rates_;
  RateTable sender_rates_;
};

}  // namespace yolod::app::access
