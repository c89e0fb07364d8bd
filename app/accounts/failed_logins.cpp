#include "app/accounts/failed_logins.hpp"

#include <algorithm>

namespace yolod::app::accounts {
namespace {

using common::Clock;

constexpr unsigned kFreeFailures = 3;
constexpr unsigned kMostDoublings = 6;
constexpr std::chrono::seconds kLongestDelay{60};
// A streak is over when the person has not tried for so long.
constexpr std::chrono::minutes kForgotten{15};

// A name has no line feed, so no two pairs make one key.
std::string pair_of(std::string_view name, std::string_view origin) {
  std::string key(name);
  key += '\n';
  key += origin;
  return key;
}

}  // namespace

double Buckets::tokens(const Bucket& bucket, Clock::time_point now) const {
  return std::min(capacity_, bucket.tokens + common::in_seconds(now - bucket.at) * per_second_);
}

Clock::duration Buckets::wait(const std::string& key, Clock::time_point now) const {
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return Clock::duration::zero();
  return common::from_seconds(std::max(0.0, (1 - tokens(found->second, now)) / per_second_));
}

void Buckets::take(const std::string& key, Clock::time_point now) {
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) {
    found->second.tokens = std::max(0.0, tokens(found->second, now) - 1);
    found->second.at = now;
    ages_.splice(ages_.begin(), ages_, found->second.age);
    return;
  }
  if (buckets_.size() >= most_) {
    buckets_.erase(ages_.back());
    ages_.pop_back();
  }
  ages_.push_front(key);
  buckets_.emplace(key, Bucket{capacity_ - 1, now, ages_.begin()});
}

void Buckets::give_back(const std::string& key) {
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) found->second.tokens = std::min(capacity_, found->second.tokens + 1);
}

Clock::duration FailedLogins::wait(std::string_view name, std::string_view origin, Clock::time_point now) const {
  const auto longest = std::max(names_.wait(std::string(name), now), origins_.wait(std::string(origin), now));
  const auto found = streaks_.find(pair_of(name, origin));
  if (found == streaks_.end()) return longest;
  return std::max(longest, found->second.until - now);
}

void FailedLogins::begins(std::string_view name, std::string_view origin, Clock::time_point now) {
  names_.take(std::string(name), now);
  origins_.take(std::string(origin), now);
  const std::string key = pair_of(name, origin);
  auto found = streaks_.find(key);
  if (found == streaks_.end()) {
    if (streaks_.size() >= most_) {
      streaks_.erase(ages_.back());
      ages_.pop_back();
    }
    ages_.push_front(key);
    found = streaks_.emplace(key, Streak{0, now, ages_.begin()}).first;
  }
  Streak& streak = found->second;
  if (now - streak.until > kForgotten) streak.failures = 0;
  ages_.splice(ages_.begin(), ages_, streak.age);
  ++streak.failures;
  streak.until = now;
  if (streak.failures < kFreeFailures) return;
  const unsigned doublings = std::min(streak.failures - kFreeFailures, kMostDoublings);
  streak.until += std::min<Clock::duration>(std::chrono::seconds(1U << doublings), kLongestDelay);
}

void FailedLogins::not_tried(std::string_view name, std::string_view origin) {
  names_.give_back(std::string(name));
  origins_.give_back(std::string(origin));
  const auto found = streaks_.find(pair_of(name, origin));
  if (found != streaks_.end() && found->second.failures > 0) --found->second.failures;
}

void FailedLogins::succeeded(std::string_view name, std::string_view origin) {
  names_.give_back(std::string(name));
  origins_.give_back(std::string(origin));
  const auto found = streaks_.find(pair_of(name, origin));
  if (found == streaks_.end()) return;
  ages_.erase(found->second.age);
  streaks_.erase(found);
}

Clock::duration FailedLogins::wait_to_register(std::string_view origin, Clock::time_point now) const {
  return registrations_.wait(std::string(origin), now);
}

void FailedLogins::registered(std::string_view origin, Clock::time_point now) {
  registrations_.take(std::string(origin), now);
}

std::size_t FailedLogins::size() const {
  return streaks_.size() + names_.size() + origins_.size() + registrations_.size();
}

}  // namespace yolod::app::accounts
