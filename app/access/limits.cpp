#include "app/access/limits.hpp"

#include <algorithm>
#include <cstring>

namespace yolod::app::access {
namespace {

// 0 is no limit.
bool is_over(std::uint64_t count, std::uint64_t limit) { return limit != 0 && count > limit; }

std::uint64_t for_site(std::uint32_t limit) { return std::uint64_t{limit} * Limits::kNetworksOfSite; }

}  // namespace

std::string_view config_key_of(Limit limit) {
  switch (limit) {
    case Limit::kKeyRate: return "per_key.requests_per_second";
    case Limit::kKeyInFlight: return "per_key.requests_in_flight";
    case Limit::kAddressRate: return "per_address.requests_per_second";
    case Limit::kAddressInFlight: return "per_address.requests_in_flight";
    case Limit::kAddressConnections: return "per_address.connections";
  }
  return "";
}

common::Error explain(Limit limit) {
  const auto refusal = [](const char* text) { return common::Error{common::ErrorCode::kTooManyRequests, text}; };
  switch (limit) {
    case Limit::kKeyRate: return refusal("this API key or person has sent too many requests in the last second");
    case Limit::kKeyInFlight: return refusal("this API key or person has too many requests in flight");
    case Limit::kAddressRate: return refusal("this address has sent too many requests in the last second");
    case Limit::kAddressInFlight: return refusal("this address has too many requests in flight");
    case Limit::kAddressConnections: return refusal("this address has too many connections");
  }
  return refusal("too many requests");
}

// ---- connections ----

Limits::Presence::Presence(Limits& limits, const Network& network) : limits_(limits) {
  if (!network.is_known()) return;
  const auto limit = limits.per_address_.connections;
  address_ = &*limits.addresses_.try_emplace(network).first;
  is_excess_ = is_over(++address_->second.connections, limit);
  if (const Network site = network.site(); site != network) {
    site_ = &*limits.addresses_.try_emplace(site).first;
    if (is_over(++site_->second.connections, for_site(limit))) is_excess_ = true;
  }
}

Limits::Presence::~Presence() {
  for (auto* const one : {address_, site_}) {
    if (one == nullptr) continue;
    --one->second.connections;
    limits_.forget_idle(one);
  }
}

void Limits::forget_idle(Addresses::value_type* address) {
  if (address->second.connections != 0 || address->second.in_flight != 0) return;
  const Network network = address->first;
  addresses_.erase(network);
}

// ---- requests ----

bool Limits::take_address_rate(const Network& client, common::Clock::time_point now) {
  const auto limit = per_address_.requests_per_second;
  if (limit == 0) return true;
  const auto address = NetworkHash()(client);
  const Network site = client.site();
  if (site == client) return address_rates_.take(address, limit, now);
  // Only a request that its site may send makes an entry for its network. So one site has few entries.
  const auto site_limit = std::min<std::uint64_t>(for_site(limit), RateTable::kMostPerSecond);
  return address_rates_.may_take(address, limit, now) &&
         address_rates_.take(NetworkHash()(site), static_cast<std::uint32_t>(site_limit), now) &&
         address_rates_.take(address, limit, now);
}

bool Limits::has_too_many_in_flight(const Network& network, std::uint64_t limit) const {
  const auto found = addresses_.find(network);
  return found != addresses_.end() && is_over(found->second.in_flight + std::uint64_t{1}, limit);
}

std::optional<Limit> Limits::take(const Presence& presence, const Network& client, common::Clock::time_point now,
                                  Ticket& ticket) {
  if (presence.is_excess()) return Limit::kAddressConnections;
  if (!client.is_known()) return std::nullopt;
  const auto most_in_flight = per_address_.requests_in_flight;
  const Network site = client.site();
  if (most_in_flight != 0 && (has_too_many_in_flight(client, most_in_flight) ||
                              (site != client && has_too_many_in_flight(site, for_site(most_in_flight))))) {
    return Limit::kAddressInFlight;
  }
  if (!take_address_rate(client, now)) return Limit::kAddressRate;
  // Requests that came while there was no limit are not counted when a reload adds one.
  if (most_in_flight == 0) return std::nullopt;
  ticket.limits_ = this;
  ticket.address_ = &*addresses_.try_emplace(client).first;
  ++ticket.address_->second.in_flight;
  if (site != client) {
    ticket.site_ = &*addresses_.try_emplace(site).first;
    ++ticket.site_->second.in_flight;
  }
  return std::nullopt;
}

// A person who makes many keys gains nothing: the keys count together, and with the sessions.
Limits::Sender Limits::sender_of(const Caller& caller, bool has_own_limit) {
  const bool is_of_person =
      caller.kind == Caller::Kind::kSession || (caller.kind == Caller::Kind::kKey && caller.person != 0);
  if (is_of_person && !has_own_limit) {
    return {Caller::Kind::kSession, static_cast<std::uint64_t>(caller.person)};
  }
  Sender sender{caller.kind, static_cast<std::uint64_t>(caller.key)};
  if (caller.kind == Caller::Kind::kFileKey) std::memcpy(&sender.id, caller.credential.data(), sizeof sender.id);
  return sender;
}

std::optional<Limit> Limits::take(const Caller& caller, common::Clock::time_point now, Ticket& ticket) {
  if (caller.kind == Caller::Kind::kAnonymous || caller.kind == Caller::Kind::kOperator) return std::nullopt;
  const auto rate = caller.rate != 0 ? caller.rate : per_key_.requests_per_second;
  const auto most_in_flight = caller.in_flight != 0 ? caller.in_flight : per_key_.requests_in_flight;
  const Sender sender = sender_of(caller, caller.in_flight != 0);
  if (most_in_flight != 0) {
    const auto found = senders_.find(sender);
    if (found != senders_.end() && found->second >= most_in_flight) return Limit::kKeyInFlight;
  }
  const auto rate_id = SenderHash()(sender_of(caller, caller.rate != 0));
  if (rate != 0 && !sender_rates_.take(rate_id, std::min(rate, RateTable::kMostPerSecond), now)) return Limit::kKeyRate;
  if (most_in_flight != 0) {
    ticket.sender_ = &*senders_.try_emplace(sender, 0).first;
    ++ticket.sender_->second;
    ticket.limits_ = this;
  }
  return std::nullopt;
}

void Limits::Ticket::clear() {
  for (auto** const one : {&address_, &site_}) {
    auto* const counted = std::exchange(*one, nullptr);
    if (counted == nullptr) continue;
    --counted->second.in_flight;
    limits_->forget_idle(counted);
  }
  if (sender_ != nullptr) {
    if (--sender_->second == 0) {
      const Sender sender = sender_->first;
      limits_->senders_.erase(sender);
    }
    sender_ = nullptr;
  }
}

// Ids that differ have hashes that differ (the finalizer of SplitMix64). A client cannot choose an id: the server
// counts keys and people, and a digest is random.
std::size_t Limits::SenderHash::operator()(const Sender& sender) const noexcept {
  constexpr unsigned kKindShift = 60;
  std::uint64_t hash = sender.id ^ (static_cast<std::uint64_t>(sender.kind) << kKindShift);
  hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EB;
  return hash ^ (hash >> 31U);
}

}  // namespace yolod::app::access
