#include "app/access/limits.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/accounts/protocol/digest.hpp"

namespace yolod::app::access::limits_test {
namespace {

using Ticket = Limits::Ticket;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr common::Clock::time_point kStart{std::chrono::hours(1)};

Network at(const std::string& text) {
  const auto address = common::IpAddress::parse(text);
  REQUIRE(address);
  return Network::of(*address);
}

// A connection, and the network of its client.
struct Client {
  Network network;
  Limits::Presence presence;
  Client(Limits& limits, const Network& at) : network(at), presence(limits, at) {}
};

std::optional<Limit> take(Limits& limits, const Client& client, common::Clock::time_point now, Ticket& ticket) {
  return limits.take(client.presence, client.network, now, ticket);
}

// Returns network number `number` of the /48 with that beginning.
Network in_site(const std::string& begin, unsigned number) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%x", number);
  return at(begin + ":" + text.data() + "::1");
}

Caller key(std::int64_t id) {
  Caller caller;
  caller.kind = Caller::Kind::kKey;
  caller.key = id;
  return caller;
}
Caller person(std::int64_t id) {
  Caller caller;
  caller.kind = Caller::Kind::kSession;
  caller.person = id;
  return caller;
}
Caller file_key(const char* token) {
  Caller caller;
  caller.kind = Caller::Kind::kFileKey;
  caller.credential = accounts::protocol::digest_of(token);
  return caller;
}

// Sends requests of an address that are over at once. Returns how many of them may come in.
int taken_of(Limits& limits, int tries, const Network& network, common::Clock::time_point now) {
  const Client presence(limits, network);
  int taken = 0;
  for (int i = 0; i < tries; ++i) {
    Ticket ticket;
    taken += take(limits, presence, now, ticket) ? 0 : 1;
  }
  return taken;
}
int taken_of(Limits& limits, int tries, const Caller& caller, common::Clock::time_point now) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) {
    Ticket ticket;
    taken += limits.take(caller, now, ticket) ? 0 : 1;
  }
  return taken;
}

TEST_CASE("Limits: without limits every request comes in", "[app][access][unit]") {
  Limits limits;
  CHECK(taken_of(limits, 1000, at("192.0.2.1"), kStart) == 1000);
  CHECK(taken_of(limits, 1000, key(1), kStart) == 1000);
  CHECK(limits.rate_memory_bytes() == 0);
  CHECK(limits.address_count() == 0);
  CHECK(limits.sender_count() == 0);
}

TEST_CASE("Limits: the rate of an address is limited, over all its connections", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_per_second = 10});
  CHECK(taken_of(limits, 6, at("192.0.2.1"), kStart) == 6);
  CHECK(taken_of(limits, 20, at("192.0.2.1"), kStart) == 4);
  CHECK(taken_of(limits, 20, at("192.0.2.2"), kStart) == 10);
  CHECK(taken_of(limits, 20, at("192.0.2.1"), kStart + milliseconds(200)) == 2);
  const Client presence(limits, at("192.0.2.1"));
  Ticket ticket;
  CHECK(take(limits, presence, kStart + milliseconds(200), ticket) == Limit::kAddressRate);
}

TEST_CASE("Limits: all networks of a /48 together have the rate of a few addresses", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_per_second = 10});
  int taken = 0;
  for (unsigned number = 0; number < 1000; ++number) {
    taken += taken_of(limits, 20, in_site("2001:db8:1", number), kStart);
  }
  CHECK(taken == 10 * static_cast<int>(Limits::kNetworksOfSite));
  CHECK(taken_of(limits, 20, at("2001:db8:2::1"), kStart) == 10);
}

TEST_CASE("Limits: 65,536 networks of one client cost bounded memory and do not remove the state of other clients",
          "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_per_second = 10, .requests_in_flight = 4, .connections = 4});
  // Each of these networks has sent all requests of one second.
  std::vector<Network> others;
  for (unsigned i = 0; i < 100; ++i) others.push_back(at("192.0.2." + std::to_string(i)));
  for (const auto& network : others) REQUIRE(taken_of(limits, 20, network, kStart) == 10);
  const auto memory = limits.rate_memory_bytes();
  for (unsigned number = 0; number < 65'536; ++number) {
    (void)taken_of(limits, 1, in_site("2001:db8:1", number), kStart);
  }
  CHECK(limits.rate_memory_bytes() == memory);
  CHECK(limits.address_count() == 0);
  for (const auto& network : others) CHECK(taken_of(limits, 1, network, kStart) == 0);
}

TEST_CASE("Limits: requests in flight of an address are counted until they end", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_in_flight = 2});
  const Client first(limits, at("192.0.2.1"));
  const Client second(limits, at("192.0.2.1"));
  const Client third(limits, at("192.0.2.1"));
  const Client other(limits, at("192.0.2.2"));
  Ticket a;
  auto b = std::make_unique<Ticket>();
  Ticket c;
  Ticket d;
  CHECK_FALSE(take(limits, first, kStart, a));
  CHECK_FALSE(take(limits, second, kStart, *b));
  CHECK(take(limits, third, kStart, c) == Limit::kAddressInFlight);
  CHECK_FALSE(take(limits, other, kStart, d));
  b.reset();
  CHECK_FALSE(take(limits, third, kStart, c));
  a.clear();
  a.clear();
  CHECK_FALSE(take(limits, first, kStart, a));
  Ticket e;
  CHECK(take(limits, second, kStart, e) == Limit::kAddressInFlight);
}

TEST_CASE("Limits: requests in flight of a /48 are limited together", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_in_flight = 1});
  std::vector<std::unique_ptr<Client>> presences;
  std::vector<std::unique_ptr<Ticket>> tickets;
  unsigned taken = 0;
  for (unsigned number = 0; number < 100; ++number) {
    presences.push_back(std::make_unique<Client>(limits, in_site("2001:db8:1", number)));
    tickets.push_back(std::make_unique<Ticket>());
    taken += take(limits, *presences.back(), kStart, *tickets.back()) ? 0 : 1;
  }
  CHECK(taken == Limits::kNetworksOfSite);
  tickets.clear();
  presences.clear();
  CHECK(limits.address_count() == 0);
}

TEST_CASE("Limits: a connection beyond the limit is an excess, and its requests are refused", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.connections = 2});
  auto first = std::make_unique<Client>(limits, at("192.0.2.1"));
  const Client second(limits, at("192.0.2.1"));
  const Client third(limits, at("192.0.2.1"));
  const Client other(limits, at("192.0.2.2"));
  CHECK_FALSE(first->presence.is_excess());
  CHECK_FALSE(second.presence.is_excess());
  CHECK(third.presence.is_excess());
  CHECK_FALSE(other.presence.is_excess());
  Ticket ticket;
  CHECK(take(limits, third, kStart, ticket) == Limit::kAddressConnections);
  first.reset();
  const Client fourth(limits, at("192.0.2.1"));
  CHECK(fourth.presence.is_excess());  // the third connection is still open
}

TEST_CASE("Limits: connections of a /48 are limited together", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.connections = 1});
  std::vector<std::unique_ptr<Client>> presences;
  unsigned good = 0;
  for (unsigned number = 0; number < 100; ++number) {
    presences.push_back(std::make_unique<Client>(limits, in_site("2001:db8:1", number)));
    good += presences.back()->presence.is_excess() ? 0 : 1;
  }
  CHECK(good == Limits::kNetworksOfSite);
  CHECK(limits.address_count() == 101);
  presences.clear();
  CHECK(limits.address_count() == 0);
}

TEST_CASE("Limits: clients of a unix socket have no address that could be limited", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_per_second = 1, .requests_in_flight = 1, .connections = 1});
  const Client first(limits, Network());
  const Client second(limits, Network());
  CHECK_FALSE(second.presence.is_excess());
  Ticket a;
  Ticket b;
  CHECK_FALSE(take(limits, first, kStart, a));
  CHECK_FALSE(take(limits, second, kStart, b));
}

TEST_CASE("Limits: each key and each person has its own rate", "[app][access][unit]") {
  Limits limits;
  limits.configure({.requests_per_second = 10}, {});
  CHECK(taken_of(limits, 20, key(1), kStart) == 10);
  CHECK(taken_of(limits, 20, key(2), kStart) == 10);
  CHECK(taken_of(limits, 20, person(1), kStart) == 10);
  CHECK(taken_of(limits, 20, person(2), kStart) == 10);
  CHECK(taken_of(limits, 20, file_key("a"), kStart) == 10);
  CHECK(taken_of(limits, 20, file_key("b"), kStart) == 10);
  CHECK(taken_of(limits, 20, key(1), kStart) == 0);
  CHECK(taken_of(limits, 20, key(1), kStart + milliseconds(500)) == 5);
  CHECK(taken_of(limits, 100, Caller(), kStart) == 100);
}

TEST_CASE("Limits: the keys and sessions of a person count together", "[app][access][unit]") {
  Limits limits;
  limits.configure({.requests_per_second = 10, .requests_in_flight = 2}, {});
  const auto key_of = [](std::int64_t owner, std::int64_t id) {
    auto caller = key(id);
    caller.person = owner;
    return caller;
  };
  CHECK(taken_of(limits, 4, key_of(7, 1), kStart) == 4);
  CHECK(taken_of(limits, 4, key_of(7, 2), kStart) == 4);
  CHECK(taken_of(limits, 4, person(7), kStart) == 2);
  CHECK(taken_of(limits, 4, key_of(7, 3), kStart) == 0);
  CHECK(taken_of(limits, 20, key_of(8, 4), kStart) == 10);  // of another person
  CHECK(taken_of(limits, 20, key(7), kStart) == 10);        // without an owner

  // An admin has given this key its own rate, but no other limit.
  const auto later = kStart + seconds(10);
  auto own = key_of(7, 5);
  own.rate = 30;
  CHECK(taken_of(limits, 100, own, later) == 30);
  CHECK(taken_of(limits, 100, key_of(7, 1), later) == 10);
  const auto last = later + seconds(10);
  Ticket a;
  Ticket b;
  Ticket c;
  CHECK_FALSE(limits.take(key_of(7, 1), last, a));
  CHECK_FALSE(limits.take(person(7), last, b));
  CHECK(limits.take(own, last, c) == Limit::kKeyInFlight);
}

TEST_CASE("Limits: a forwarded request counts for its client, and not for the connection", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_per_second = 3, .requests_in_flight = 1, .connections = 1});
  const Client proxy(limits, Network());  // the connections of a trusted proxy count for no address
  const Client other_connection(limits, Network());
  CHECK_FALSE(other_connection.presence.is_excess());
  const auto taken = [&](const std::string& client, int tries, common::Clock::time_point now) {
    int count = 0;
    for (int i = 0; i < tries; ++i) {
      Ticket ticket;
      count += limits.take(proxy.presence, at(client), now, ticket) ? 0 : 1;
    }
    return count;
  };
  CHECK(taken("203.0.113.1", 10, kStart) == 3);
  CHECK(taken("203.0.113.2", 10, kStart) == 3);
  CHECK(taken("2001:db8::1", 10, kStart) == 3);
  CHECK(limits.address_count() == 0);
  const auto later = kStart + seconds(10);
  {
    Ticket a;
    Ticket b;
    Ticket c;
    CHECK_FALSE(limits.take(proxy.presence, at("203.0.113.1"), later, a));
    CHECK(limits.take(other_connection.presence, at("203.0.113.1"), later, b) == Limit::kAddressInFlight);
    CHECK_FALSE(limits.take(other_connection.presence, at("203.0.113.2"), later, c));
    // The client also has a direct connection.
    const Client direct(limits, at("203.0.113.1"));
    CHECK(take(limits, direct, later, b) == Limit::kAddressInFlight);
  }
  CHECK(limits.address_count() == 0);
}

TEST_CASE("Limits: the own limits of a key replace the general ones", "[app][access][unit]") {
  Limits limits;
  const bool has_general = GENERATE(true, false);
  if (has_general) limits.configure({.requests_per_second = 10, .requests_in_flight = 1}, {});
  auto caller = key(1);
  caller.rate = 30;
  caller.in_flight = 2;
  CHECK(taken_of(limits, 100, caller, kStart) == 30);
  const auto later = kStart + seconds(10);
  Ticket a;
  Ticket b;
  Ticket c;
  CHECK_FALSE(limits.take(caller, later, a));
  CHECK_FALSE(limits.take(caller, later, b));
  CHECK(limits.take(caller, later, c) == Limit::kKeyInFlight);
  a.clear();
  CHECK_FALSE(limits.take(caller, later, c));
}

TEST_CASE("Limits: requests in flight of a key are forgotten when they end", "[app][access][unit]") {
  Limits limits;
  limits.configure({.requests_in_flight = 5}, {});
  {
    std::vector<std::unique_ptr<Ticket>> tickets;
    for (std::int64_t id = 1; id <= 100; ++id) {
      tickets.push_back(std::make_unique<Ticket>());
      CHECK_FALSE(limits.take(key(id), kStart, *tickets.back()));
    }
    CHECK(limits.sender_count() == 100);
  }
  CHECK(limits.sender_count() == 0);
}

TEST_CASE("Limits: a ticket counts a request at its address and for its key", "[app][access][unit]") {
  Limits limits;
  limits.configure({.requests_in_flight = 1}, {.requests_in_flight = 1});
  const Client presence(limits, at("192.0.2.1"));
  Ticket ticket;
  CHECK_FALSE(take(limits, presence, kStart, ticket));
  CHECK_FALSE(limits.take(key(1), kStart, ticket));
  Ticket second;
  CHECK(take(limits, presence, kStart, second) == Limit::kAddressInFlight);
  CHECK(limits.take(key(1), kStart, second) == Limit::kKeyInFlight);
  ticket.clear();
  CHECK_FALSE(take(limits, presence, kStart, second));
  CHECK_FALSE(limits.take(key(1), kStart, second));
}

TEST_CASE("Limits: new limits hold for the next request", "[app][access][unit]") {
  Limits limits;
  limits.configure({}, {.requests_per_second = 1});
  CHECK(taken_of(limits, 5, at("192.0.2.1"), kStart) == 1);
  limits.configure({}, {.requests_per_second = 100});
  CHECK(taken_of(limits, 5, at("192.0.2.1"), kStart + seconds(2)) == 5);
  limits.configure({}, {});
  CHECK(taken_of(limits, 500, at("192.0.2.1"), kStart + seconds(2)) == 500);
}

TEST_CASE("Limits: each limit names its key of the config", "[app][access][unit]") {
  CHECK(config_key_of(Limit::kKeyRate) == "per_key.requests_per_second");
  CHECK(config_key_of(Limit::kAddressConnections) == "per_address.connections");
  for (std::size_t i = 0; i < kLimitCount; ++i) {
    CHECK(explain(static_cast<Limit>(i)).code == common::ErrorCode::kTooManyRequests);
  }
}

}  // namespace
}  // namespace yolod::app::access::limits_test
