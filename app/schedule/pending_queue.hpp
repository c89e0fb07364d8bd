// Holds the requests of one model that wait for a worker, in the order of service.
//
// There are two levels. In each level the request whose time expires first is served first; with equal timeouts this
// is the order of arrival. While requests of both levels wait, the high level gets three of four turns. So the high
// level is served first, and the normal level never starves.
//
// The dispatcher owns it and uses it on the front-end's only thread. The queue allocates memory only when it becomes
// longer than ever before.
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

inline constexpr std::uint32_t kHighPerNormal = 3;

// Returns whether the next request is taken from the high level, after `highs_in_a_row` requests of that level.
// Pure.
[[nodiscard]] constexpr bool high_goes_next(bool high_waits, bool normal_waits, std::uint32_t highs_in_a_row) {
  return high_waits && (!normal_waits || highs_in_a_row < kHighPerNormal);
}

class PendingQueue {
 public:
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return level(Priority::kHigh).size() + level(Priority::kNormal).size(); }
  [[nodiscard]] std::size_t size(Priority priority) const { return level(priority).size(); }

  void push(std::unique_ptr<Request> request);
  // Returns how many requests will be served before a new request of this priority that expires at `expires`.
  [[nodiscard]] std::size_t ahead_of(Priority priority, common::Clock::time_point expires) const;
  // Returns the next request, or null if the queue is empty. It is valid until the queue changes.
  [[nodiscard]] const Request* front() const;
  // Returns how many requests have the shape of front().
  [[nodiscard]] std::size_t count_like_front() const;
  // Return when the oldest request was queued, and when the most urgent one expires. REQUIRES: the queue is not
  // empty.
  [[nodiscard]] common::Clock::time_point oldest() const;
  [[nodiscard]] common::Clock::time_point earliest_expiry() const;

  enum class Verdict { kTake, kLeave, kDrop, kStop };
  // Calls `judge` for the requests in the order of service, until it returns kStop. After kTake the request leaves
  // the queue and is passed to `take`. After kDrop it leaves the queue and is destroyed. After kLeave it stays.
  template <typename Judge, typename Take>
  void take_in_order(Judge&& judge, Take&& take);
  // Calls `leaves` for each request, in no defined order, and removes the request if it returns true.
  template <typename Leaves>
  void remove_if(Leaves&& leaves) {
    for (Level* const of : {&high_, &normal_}) {
      of->erase(std::remove_if(of->begin(), of->end(), [&](auto& one) { return leaves(*one); }), of->end());
    }
  }
  // Removes a request and returns it, or null if the queue does not hold it.
  [[nodiscard]] std::unique_ptr<Request> remove(std::uint64_t id);
  void clear();

 private:
  using Level = boost::circular_buffer<std::unique_ptr<Request>>;
  [[nodiscard]] const Level& level(Priority priority) const { return priority == Priority::kHigh ? high_ : normal_; }
  [[nodiscard]] Level& level(Priority priority) { return priority == Priority::kHigh ? high_ : normal_; }

  Level high_;
  Level normal_;
  std::uint32_t highs_in_a_row_{0};
  bool has_shapes_{false};  // whether any request has had a shape
};

template <typename Judge, typename Take>
void PendingQueue::take_in_order(Judge&& judge, Take&& take) {
  // Requests that were left stay before these positions.
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
