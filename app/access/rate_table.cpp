#include "app/access/rate_table.hpp"

#include <algorithm>

namespace yolod::app::access {
namespace {

using TimePoint = common::Clock::time_point;

// The time after which a bucket has one request more.
common::Clock::duration time_of_one(std::uint32_t per_second) {
  return std::chrono::duration_cast<common::Clock::duration>(std::chrono::seconds(1)) / per_second;
}

bool has_request(TimePoint full_again, std::uint32_t per_second, TimePoint now) {
  return full_again - now <= time_of_one(per_second) * (per_second - 1);
}

}  // namespace

bool RateTable::take(std::uint64_t sender, std::uint32_t per_second, TimePoint now) {
  if (entries_.empty()) entries_.resize(sets_);
  Set& set = entries_[index_of(sender)];
  auto* entry = std::find_if(set.begin(), set.end(), [sender](const Entry& one) { return one.sender == sender; });
  if (entry == set.end()) {
    entry = std::min_element(set.begin(), set.end(),
                             [](const Entry& a, const Entry& b) { return a.full_again < b.full_again; });
    *entry = {sender, now};
  }
  entry->full_again = std::max(entry->full_again, now);
  if (!has_request(entry->full_again, per_second, now)) return false;
  entry->full_again += time_of_one(per_second);
  return true;
}

bool RateTable::may_take(std::uint64_t sender, std::uint32_t per_second, TimePoint now) const {
  if (entries_.empty()) return true;
  const Set& set = entries_[index_of(sender)];
  const auto* const entry =
      std::find_if(set.begin(), set.end(), [sender](const Entry& one) { return one.sender == sender; });
  return entry == set.end() || has_request(std::max(entry->full_again, now), per_second, now);
}

}  // namespace yolod::app::access
