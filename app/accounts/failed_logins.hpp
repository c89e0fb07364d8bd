// FailedLogins limits how often clients may try to log in. Its memory is bounded, and a restart clears it.
//
//   a name from one origin   after 3 failures the next attempt waits 1 s, then 2 s, 4 s ... at most 60 s
//   a name                   100 failures in an hour, then one in 36 s
//   an origin                300 failures in an hour, then one in 12 s
//   registrations            20 in an hour from one origin
//
// The limits slow down guessing from every origin. A name may be used up by attackers elsewhere. Therefore an origin
// from which that person has logged in before has 20 further failures an hour for this name, which no other origin can
// use. Unknown names count like known names, so an answer does not tell whether a name exists.
//
// An origin is the site of a client: an IPv4 address or the /48 of an IPv6 address. The origins 127.0.0.1, ::1 and unix
// are shared, because a proxy on this machine may hide all its clients behind them. A shared origin has 20 times as
// many failures and registrations, and no growing wait.
//
// The event loop owns it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/clock.hpp"

namespace yolod::app::accounts {

// The hash of a name or an origin, with a seed that only this process knows.
using CounterId = std::uint64_t;

// A table of fixed size with an Entry for each id. An id has one of the 8 places of its set. The seed of the ids is
// secret, so a client cannot choose the set. `Entry` has a member `id`, which is 0 in a free place.
template <typename Entry>
class CounterTable {
 public:
  // The table has room for about `most` ids.
  explicit CounterTable(std::size_t most) : sets_(std::max<std::size_t>(1, most / kWays)) {}

  // Returns null if the id has no entry.
  [[nodiscard]] const Entry* find(CounterId id) const {
    const Set& set = sets_[id % sets_.size()];
    const auto* const found = std::find_if(set.begin(), set.end(), [id](const Entry& entry) { return entry.id == id; });
    return found == set.end() ? nullptr : found;
  }
  [[nodiscard]] Entry* find(CounterId id) { return const_cast<Entry*>(std::as_const(*this).find(id)); }
  // Returns the entry of the id. A new one is a copy of `fresh` and replaces the entry of its set with the smallest
  // weight.
  template <typename Weight>
  Entry& entry_for(CounterId id, const Entry& fresh, Weight weight) {
    if (Entry* const entry = find(id)) return *entry;
    Set& set = sets_[id % sets_.size()];
    auto* const lightest = std::min_element(
        set.begin(), set.end(), [&weight](const Entry& a, const Entry& b) { return weight(a) < weight(b); });
    *lightest = fresh;
    return *lightest;
  }
  template <typename Predicate>
  [[nodiscard]] std::size_t count_if(Predicate predicate) const {
    std::size_t count = 0;
    for (const Set& set : sets_) count += static_cast<std::size_t>(std::count_if(set.begin(), set.end(), predicate));
    return count;
  }

 private:
  static constexpr std::size_t kWays = 8;
  using Set = std::array<Entry, kWays>;
  std::vector<Set> sets_;
};

// Each id has a bucket of `capacity` tokens, which fills again evenly within `refill`. A new id replaces the id of its
// set whose bucket is full again first, so an attacker must empty as many buckets as the table has to make it forget an
// empty one.
class Buckets {
 public:
  Buckets(std::uint32_t capacity, common::Clock::duration refill, std::size_t most);

  // Returns the time until the bucket has a token; zero or less means now.
  [[nodiscard]] common::Clock::duration wait(CounterId id, common::Clock::time_point now) const;
  void take(CounterId id, common::Clock::time_point now);
  void give_back(CounterId id);
  // Returns how many buckets are not full.
  [[nodiscard]] std::size_t count(common::Clock::time_point now) const;

 private:
  struct Entry {
    CounterId id{0};
    common::Clock::time_point full_again{};
  };

  common::Clock::duration per_token_;
  common::Clock::duration all_but_one_;
  CounterTable<Entry> table_;
};

// The failures in a row of a name from one origin.
class Streaks {
 public:
  explicit Streaks(std::size_t most) : table_(most) {}

  [[nodiscard]] common::Clock::duration wait(CounterId id, common::Clock::time_point now) const;
  // Returns the time until which the streak had to wait before.
  common::Clock::time_point failed(CounterId id, common::Clock::time_point now);
  // Takes back a failure for which failed() returned `until`.
  void take_back(CounterId id, common::Clock::time_point until);
  void end(CounterId id);

 private:
  struct Entry {
    CounterId id{0};
    unsigned failures{0};
    common::Clock::time_point until{};
  };

  CounterTable<Entry> table_;
};

// The last origins from which each person has logged in. Each person has separate places, so the owner of many
// accounts cannot push out the origins of another person. Only a log-in with the right password makes an entry, so the
// memory depends on the number of people: about 100 bytes for each.
class KnownOrigins {
 public:
  static constexpr std::size_t kMostOfName = 4;
  // If so many people have logged in, further people get no entry.
  static constexpr std::size_t kMostNames = 1'000'000;

  explicit KnownOrigins(std::size_t most_names = kMostNames) : most_names_(most_names) {}

  void add(CounterId name, CounterId pair, common::Clock::time_point now);
  [[nodiscard]] bool has(CounterId name, CounterId pair) const;

 private:
  struct Origin {
    CounterId pair{0};  // 0: the place is free
    common::Clock::time_point used{};
  };
  using Origins = std::array<Origin, kMostOfName>;

  const std::size_t most_names_;
  std::unordered_map<CounterId, Origins> names_;
};

class FailedLogins {
 public:
  // The tables have room for about this many names, origins, and pairs of them.
  explicit FailedLogins(std::size_t most = 8192);

  // An attempt of a client to log in, as the tables count it.
  struct Attempt {
    CounterId name{0};
    CounterId origin{0};
    CounterId pair{0};
    bool is_shared{false};
    bool uses_own{false};               // it is counted by the allowance of a known origin
    common::Clock::time_point until{};  // what Streaks::failed() returned
  };
  // Returns the identity of the person at this origin, if the person has logged in from there before.
  [[nodiscard]] std::optional<CounterId> known(std::string_view name, std::string_view origin) const;
  // Returns how long the client must wait, or zero if an attempt is allowed.
  [[nodiscard]] common::Clock::duration wait(std::string_view name, std::string_view origin,
                                             common::Clock::time_point now) const;
  // Counts the attempt as a failure until succeeded() or not_tried() corrects that. So parallel attempts get no
  // further than attempts in sequence. REQUIRES: wait() returned zero.
  [[nodiscard]] Attempt begins(std::string_view name, std::string_view origin, common::Clock::time_point now);
  void succeeded(const Attempt& attempt, common::Clock::time_point now);
  // The server did not check the password.
  void not_tried(const Attempt& attempt);

  [[nodiscard]] common::Clock::duration wait_to_register(std::string_view origin, common::Clock::time_point now) const;
  void registered(std::string_view origin, common::Clock::time_point now);

 private:
  [[nodiscard]] CounterId id_of(std::string_view first, std::string_view second = {}) const;
  [[nodiscard]] Attempt attempt_of(std::string_view name, std::string_view origin) const;
  [[nodiscard]] Buckets& origins(bool shared) { return shared ? shared_origins_ : origins_; }
  [[nodiscard]] common::Clock::duration general_wait(const Attempt& attempt, common::Clock::time_point now) const;
  void give_back(const Attempt& attempt);

  std::array<unsigned char, 16> seed_;  // crypto_shorthash_KEYBYTES
  Streaks streaks_;
  Buckets names_;
  Buckets origins_;
  Buckets shared_origins_;
  Buckets own_;  // of known origins, for each pair
  KnownOrigins known_;
  Buckets registrations_;
  Buckets shared_registrations_;
};

}  // namespace yolod::app::accounts
