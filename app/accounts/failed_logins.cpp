#include "app/accounts/failed_logins.hpp"

#include <sodium.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace yolod::app::accounts {
namespace {

using common::Clock;

constexpr std::uint32_t kFailuresOfName = 100;
constexpr std::uint32_t kFailuresOfOrigin = 300;
constexpr std::uint32_t kOwnFailures = 20;
constexpr std::uint32_t kRegistrations = 20;
constexpr std::uint32_t kShared = 20;      // times as much for a shared origin
constexpr std::size_t kSharedOrigins = 8;  // there are three
constexpr unsigned kFreeFailures = 3;
constexpr unsigned kMostDoublings = 6;
constexpr std::chrono::seconds kLongestDelay{60};
// A streak is over when the person has not tried for so long.
constexpr std::chrono::minutes kForgotten{15};

// Returns whether a proxy on this machine may hide its clients behind this origin.
bool is_shared_origin(std::string_view origin) {
  return origin == "unix" || origin == "127.0.0.1" || origin == "::/48";
}

}  // namespace

// ---- Buckets ----

Buckets::Buckets(std::uint32_t capacity, Clock::duration refill, std::size_t most)
    : per_token_(refill / capacity), all_but_one_(per_token_ * (capacity - 1)), table_(most) {}

Clock::duration Buckets::wait(CounterId id, Clock::time_point now) const {
  const Entry* const entry = table_.find(id);
  return entry == nullptr ? Clock::duration::zero() : entry->full_again - now - all_but_one_;
}

void Buckets::take(CounterId id, Clock::time_point now) {
  Entry& entry = table_.entry_for(id, {id, now}, [](const Entry& one) { return one.full_again; });
  // An empty bucket stays empty.
  entry.full_again = std::min(std::max(entry.full_again, now) + per_token_, now + all_but_one_ + per_token_);
}

void Buckets::give_back(CounterId id) {
  if (Entry* const entry = table_.find(id)) entry->full_again -= per_token_;
}

std::size_t Buckets::count(Clock::time_point now) const {
  return table_.count_if([now](const Entry& entry) { return entry.full_again > now; });
}

// ---- Streaks ----

Clock::duration Streaks::wait(CounterId id, Clock::time_point now) const {
  const Entry* const entry = table_.find(id);
  return entry == nullptr ? Clock::duration::zero() : entry->until - now;
}

Clock::time_point Streaks::failed(CounterId id, Clock::time_point now) {
  const auto is_over = [now](const Entry& entry) { return now - entry.until > kForgotten; };
  // The shortest streak makes room, so that new names and origins do not make this table forget an attacker.
  Entry& entry = table_.entry_for(id, {id, 0, now}, [&is_over](const Entry& one) {
    return std::tuple(is_over(one) ? 0 : one.failures, one.until);
  });
  if (is_over(entry)) entry.failures = 0;
  ++entry.failures;
  const auto before = std::exchange(entry.until, now);
  if (entry.failures < kFreeFailures) return before;
  const unsigned doublings = std::min(entry.failures - kFreeFailures, kMostDoublings);
  entry.until += std::min<Clock::duration>(std::chrono::seconds(1U << doublings), kLongestDelay);
  return before;
}

void Streaks::take_back(CounterId id, Clock::time_point until) {
  Entry* const entry = table_.find(id);
  if (entry == nullptr || entry->failures == 0) return;
  --entry->failures;
  entry->until = until;
}

void Streaks::end(CounterId id) {
  if (Entry* const entry = table_.find(id)) *entry = {};
}

// ---- KnownOrigins ----

void KnownOrigins::add(CounterId name, CounterId pair, Clock::time_point now) {
  if (names_.size() >= most_names_ && !names_.contains(name)) return;
  Origins& origins = names_[name];
  auto* origin = std::find_if(origins.begin(), origins.end(), [pair](const Origin& one) { return one.pair == pair; });
  if (origin == origins.end()) {
    origin = std::min_element(origins.begin(), origins.end(),
                              [](const Origin& a, const Origin& b) { return a.used < b.used; });
  }
  *origin = {pair, now};
}

bool KnownOrigins::has(CounterId name, CounterId pair) const {
  const auto found = names_.find(name);
  return found != names_.end() && std::any_of(found->second.begin(), found->second.end(),
                                              [pair](const Origin& one) { return one.pair == pair; });
}

// ---- FailedLogins ----

FailedLogins::FailedLogins(std::size_t most)
    : seed_{},
      streaks_(most),
      names_(kFailuresOfName, std::chrono::hours(1), most),
      origins_(kFailuresOfOrigin, std::chrono::hours(1), most),
      shared_origins_(kFailuresOfOrigin * kShared, std::chrono::hours(1), kSharedOrigins),
      own_(kOwnFailures, std::chrono::hours(1), most),
      registrations_(kRegistrations, std::chrono::hours(1), most),
      shared_registrations_(kRegistrations * kShared, std::chrono::hours(1), kSharedOrigins) {
  static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == sizeof(CounterId));
  randombytes_buf(seed_.data(), seed_.size());
}

CounterId FailedLogins::id_of(std::string_view first, std::string_view second) const {
  // A name has no line feed, so no two pairs make one text.
  std::string text(first);
  if (!second.empty()) text.append("\n").append(second);
  CounterId id = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&id), reinterpret_cast<const unsigned char*>(text.data()),
                   text.size(), seed_.data());
  return id;
}

FailedLogins::Attempt FailedLogins::attempt_of(std::string_view name, std::string_view origin) const {
  return {id_of(name), id_of(origin), id_of(name, origin), is_shared_origin(origin), false};
}

std::optional<CounterId> FailedLogins::known(std::string_view name, std::string_view origin) const {
  const Attempt attempt = attempt_of(name, origin);
  return known_.has(attempt.name, attempt.pair) ? std::optional(attempt.pair) : std::nullopt;
}

Clock::duration FailedLogins::general_wait(const Attempt& attempt, Clock::time_point now) const {
  const Buckets& origins = attempt.is_shared ? shared_origins_ : origins_;
  return std::max(names_.wait(attempt.name, now), origins.wait(attempt.origin, now));
}

Clock::duration FailedLogins::wait(std::string_view name, std::string_view origin, Clock::time_point now) const {
  const Attempt attempt = attempt_of(name, origin);
  auto longest = general_wait(attempt, now);
  if (longest > Clock::duration::zero() && known_.has(attempt.name, attempt.pair)) {
    longest = std::min(longest, own_.wait(attempt.pair, now));
  }
  if (!attempt.is_shared) longest = std::max(longest, streaks_.wait(attempt.pair, now));
  return longest;
}

FailedLogins::Attempt FailedLogins::begins(std::string_view name, std::string_view origin, Clock::time_point now) {
  Attempt attempt = attempt_of(name, origin);
  attempt.uses_own = known_.has(attempt.name, attempt.pair) && general_wait(attempt, now) > Clock::duration::zero();
  if (attempt.uses_own) {
    own_.take(attempt.pair, now);
  } else {
    names_.take(attempt.name, now);
    origins(attempt.is_shared).take(attempt.origin, now);
  }
  if (!attempt.is_shared) attempt.until = streaks_.failed(attempt.pair, now);
  return attempt;
}

void FailedLogins::give_back(const Attempt& attempt) {
  if (attempt.uses_own) return own_.give_back(attempt.pair);
  names_.give_back(attempt.name);
  origins(attempt.is_shared).give_back(attempt.origin);
}

void FailedLogins::not_tried(const Attempt& attempt) {
  give_back(attempt);
  if (!attempt.is_shared) streaks_.take_back(attempt.pair, attempt.until);
}

void FailedLogins::succeeded(const Attempt& attempt, Clock::time_point now) {
  give_back(attempt);
  streaks_.end(attempt.pair);
  known_.add(attempt.name, attempt.pair, now);
}

Clock::duration FailedLogins::wait_to_register(std::string_view origin, Clock::time_point now) const {
  const Buckets& registrations = is_shared_origin(origin) ? shared_registrations_ : registrations_;
  return registrations.wait(id_of(origin), now);
}

void FailedLogins::registered(std::string_view origin, Clock::time_point now) {
  Buckets& registrations = is_shared_origin(origin) ? shared_registrations_ : registrations_;
  registrations.take(id_of(origin), now);
}

}  // namespace yolod::app::accounts
