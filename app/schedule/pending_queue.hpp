// The requests of one model that wait for a worker, in the order in which they will be served.
//
// Two levels. Of each, the one whose time runs out first goes first; with equal timeouts that is the one that came
// first. While both levels wait, three of four that go are of the high one: so the high one is served first, and the
// other never starves.
//
// Front-end only, its one thread. Nothing is allocated as long as no more wait than did before.
#pragma once

#include <algorithm>
#include <boost/circular_buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "app/schedule/request.hpp"
#include "common/clock.hpp"

namespace yolod::app::schedule {

inline constexpr std::uint32_t kHighsForANormal = 3;

// Whether the next to go is of the high level, after `highs_in_a_row` of it have gone. Pure.
[[nodiscard]] constexpr bool high_goes_next(bool high_waits, bool normal_waits, std::uint32_t highs_in_a_row) {
  return high_waits && (!normal_waits || highs_in_a_row < kHighsForANormal);
}

class PendingQueue {
 public:
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return level(Priority::kHigh).size() + level(Priority::kNormal).size(); }
  [[nodiscard]] std::size_t size(Priority priority) const { return level(priority).size(); }

  void push(std::unique_ptr<Request> request);
  // How many will be served before one of that priority that must go by `expires`.
  [[nodiscard]] std::size_t ahead_of(Priority priority, common::Clock::time_point expires) const;
  // The next to go, and what follows it. Null for none. Valid until the queue changes.
  [[nodiscard]] const Request* front() const;
  // How many there are of the front's shape.
  [[nodiscard]] std::size_t count_like_front() const;
  // Since when the one waits that has waited longest, and by when the most urgent must have gone. Not of an empty
  // queue.
  [[nodiscard]] common::Clock::time_point oldest() const;
  [[nodiscard]] common::Clock::time_point earliest_expiry() const;

  enum class Verdict { kTake, kLeave, kDrop, kStop };
  // Shows each in the order of service, until kStop. What is taken or dropped leaves the queue after having been given
  // to `take` or `drop`.
  template <typename Judge, typename Take>
  void take_in_order(Judge&& judge, Take&& take);
  // In no order: removes each for which `leaves` says so, after it has.
  template <typename Leaves>
  void remove_if(Leaves&& leaves) {
    for (Level* const of : {&high_, &normal_}) {
      of->erase(std::remove_if(of->begin(), of->end(), [&](auto& one) { return leaves(*one); }), of->end());
    }
  }
  // Null if it is not here.
  [[nodiscard]] std::unique_ptr<Request> remove(std::uint64_t id);
  void clear();

 private:
  using Level = boost::circular_buffer<std::unique_ptr<Request>>;
  [[nodiscard]] const Level& level(Priority priority) const { return priority == Priority::kHigh ? high_ : normal_; }
  [[nodiscard]] Level& level(Priority priority) { return priority == Priority::kHigh ? high_ : normal_; }

  Level high_;
  Level normal_;
  std::uint32_t highs_in_a_row_{0};
  bool has_shapes_{false};  // some request had one
};

template <typename Judge, typename Take>
void PendingQueue::take_in_order(Judge&& judge, Take&& take) {
  // What was passed over stays before these.
  std::size_t high = 0;
  std::size_t normal = 0;
  while (high < high_.size() || normal < normal_.size()) {
    const bool is_high = high_goes_next(high < high_.size(), normal < normal_.size(), highs_in_a_row_);
    Level& of = is_high ? high_ : normal_;
    std::size_t& at = is_high ? high : normal;
    const Verdict verdict = judge(*of[at]);
    if (verdict == Verdict::kStop) return;
    if (verdict == Verdict::kLeave) {
      ++at;
      continue;
    }
    auto request = std::move(of[at]);
    of.erase(of.begin() + static_cast<Level::difference_type>(at));
    if (verdict == Verdict::kDrop) continue;
    highs_in_a_row_ = is_high ? highs_in_a_row_ + 1 : 0;
    take(std::move(request));
  }
}

}  // namespace yolod::app::schedule
