#include "app/http/places.hpp"

#include <algorithm>

namespace yolod::app::http {

using common::Clock;
using std::chrono::milliseconds;

milliseconds Places::least_age(Occupation occupation) {
  switch (occupation) {
    case Occupation::kSilent: return milliseconds(100);  // most requests arrive in the packet after the connection's
    case Occupation::kLingering:
    case Occupation::kIdle: return milliseconds(250);  // a packet may take this long there and back
    case Occupation::kUnfinished: return milliseconds(500);
    case Occupation::kShakingHands:  // a handshake takes two round trips
    case Occupation::kIdleWebSocket:
    case Occupation::kAwaitingRoom:
    case Occupation::kUnreadAnswer: return milliseconds(1000);
    case Occupation::kBusy: break;
  }
  return milliseconds::max();
}

bool Places::make_space(Clock::time_point now) {
  return regular_count_ < limit_ || reserve_count_ < kReserve || evict_one(true, now);
}

bool Places::make_space_for_handshake(Clock::time_point now) {
  if (handshake_count_ < kMostHandshakes) return true;
  Place& first = list(Occupation::kShakingHands).front();
  if (now - first.since_ < least_age(Occupation::kShakingHands)) return false;
  evict(first);
  return true;
}

void Places::evict_excess(Clock::time_point now) {
  for (std::size_t left = kEvictedAtOnce; left != 0 && regular_count_ > limit_; --left) {
    if (!evict_one(false, now)) return;
  }
}

void Places::add(Place& place, Clock::time_point now) {
  place.in_reserve_ = regular_count_ >= limit_ && !evict_one(false, now);
  ++(place.in_reserve_ ? reserve_count_ : regular_count_);
  ++all_count_;
  place.occupation_ = Occupation::kSilent;
  place.since_ = now;
  list(Occupation::kSilent).push_back(place);
}

void Places::remove(Place& place) {
  unlink(place);
  --all_count_;
  if (!place.evicted_) --(place.in_reserve_ ? reserve_count_ : regular_count_);
}

void Places::change(Place& place, Occupation occupation, Clock::time_point now) {
  if (place.evicted_) return;
  unlink(place);
  place.occupation_ = occupation;
  place.since_ = now;
  list(occupation).push_back(place);
  if (occupation == Occupation::kShakingHands) ++handshake_count_;
}

void Places::unlink(Place& place) {
  List& from = place.evicted_ ? evicted_ : list(place.occupation_);
  const auto at = from.iterator_to(place);
  if (round_next_ == at) ++round_next_;
  from.erase(at);
  if (!place.evicted_ && place.occupation_ == Occupation::kShakingHands) --handshake_count_;
}

bool Places::leave_reserve(Place& place, Clock::time_point now) {
  // An evicted connection is closed, and only its last read is pending.
  if (place.evicted_) return false;
  if (!place.in_reserve_) return true;
  if (regular_count_ >= limit_ && !evict_one(false, now)) return false;
  place.in_reserve_ = false;
  --reserve_count_;
  ++regular_count_;
  return true;
}

bool Places::may_make_room_soon(Clock::time_point now) {
  return find_evictable(false, now + least_age(Occupation::kSilent)) != nullptr;
}

Place* Places::find_evictable(bool also_of_reserve, Clock::time_point now) {
  for (std::size_t kind = 0; kind < static_cast<std::size_t>(Occupation::kBusy); ++kind) {
    const milliseconds required = least_age(static_cast<Occupation>(kind));
    for (Place& place : lists_[kind]) {
      if (now - place.since_ < required) break;  // the connections after it are younger
      if (also_of_reserve || !place.in_reserve_) return &place;
    }
  }
  return nullptr;
}

bool Places::evict_one(bool also_of_reserve, Clock::time_point now) {
  Place* const evicted = find_evictable(also_of_reserve, now);
  if (evicted == nullptr) return false;
  evict(*evicted);
  return true;
}

void Places::evict(Place& place) {
  unlink(place);
  --(place.in_reserve_ ? reserve_count_ : regular_count_);
  place.evicted_ = true;
  evicted_.push_back(place);
  place.evict();
}

bool Places::check_some_deadlines(std::size_t most, Clock::time_point now) {
  for (const Occupation occupation : {Occupation::kSilent, Occupation::kIdle}) {
    std::size_t left = most;
    for (Place& place : list(occupation)) {
      if (left-- == 0 || !place.check_deadline(now)) break;
    }
  }
  for (std::size_t left = most; left != 0; --left) {
    while (round_next_ == lists_[round_kind_].end()) {
      do {
        round_kind_ = (round_kind_ + 1) % kKinds;
      } while (round_kind_ == static_cast<std::size_t>(Occupation::kSilent) ||
               round_kind_ == static_cast<std::size_t>(Occupation::kIdle));
      round_next_ = lists_[round_kind_].begin();
      if (round_kind_ == 0) return true;
    }
    Place& place = *round_next_++;
    place.check_deadline(now);
  }
  return false;
}

}  // namespace yolod::app::http
