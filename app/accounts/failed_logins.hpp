// FailedLogins limits how often clients may try to log in. Its memory is bounded, and a restart clears it.
//
//   a name from one origin   after 3 failures the next attempt waits 1 s, then 2 s, 4 s ... at most 60 s
//   a name                   100 failures in an hour, then one in 36 s
//   an origin                300 failures in an hour, then one in 12 s
//   registrations            20 in an hour from one origin
//
// The limits slow down guessing from every origin, and an attacker elsewhere does not lock a person out for long.
// Unknown names count like known names, so an answer does not tell whether a name exists.
//
// The event loop owns it.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/clock.hpp"

namespace yolod::app::accounts {

// Each key has a bucket of `capacity` tokens, which fills again evenly within `refill`. With more than `most` keys,
// the least recently used key loses its bucket.
class Buckets {
 public:
  Buckets(double capacity, common::Clock::duration refill, std::size_t most)
      : capacity_(capacity), per_second_(capacity / common::in_seconds(refill)), most_(most) {}

  // Returns the time until the bucket has a token; zero or less means now.
  [[nodiscard]] common::Clock::duration wait(const std::string& key, common::Clock::time_point now) const;
  void take(const std::string& key, common::Clock::time_point now);
  void give_back(const std::string& key);
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    common::Clock::time_point at;
    std::list<std::string>::iterator age;
  };
  [[nodiscard]] double tokens(const Bucket& bucket, common::Clock::time_point now) const;

  double capacity_;
  double per_second_;
  std::size_t most_;
  std::unordered_map<std::string, Bucket> buckets_;
  std::list<std::string> ages_;  // that was used last, first
};

class FailedLogins {
 public:
  explicit FailedLogins(std::size_t most_keys = 8192) : most_(most_keys) {}

  // Returns zero if an attempt is allowed.
  [[nodiscard]] common::Clock::duration wait(std::string_view name, std::string_view origin,
                                             common::Clock::time_point now) const;
  // Counts the attempt as a failure until succeeded() or not_tried() corrects that. So parallel attempts get no
  // further than attempts in sequence.
  void begins(std::string_view name, std::string_view origin, common::Clock::time_point now);
  void succeeded(std::string_view name, std::string_view origin);
  // The server did not check the password.
  void not_tried(std::string_view name, std::string_view origin);

  [[nodiscard]] common::Clock::duration wait_to_register(std::string_view origin, common::Clock::time_point now) const;
  void registered(std::string_view origin, common::Clock::time_point now);

  // Returns the number of keys of all kinds.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Streak {
    unsigned failures{0};
    common::Clock::time_point until{};
    std::list<std::string>::iterator age;
  };

  std::size_t most_;
  std::unordered_map<std::string, Streak> streaks_;  // by name and origin
  std::list<std::string> ages_;
  Buckets names_{100, std::chrono::hours(1), most_};
  Buckets origins_{300, std::chrono::hours(1), most_};
  Buckets registrations_{20, std::chrono::hours(1), most_};
};

}  // namespace yolod::app::accounts
