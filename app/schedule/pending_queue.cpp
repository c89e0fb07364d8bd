#include "app/schedule/pending_queue.hpp"

#include <algorithm>
#include <utility>

namespace yolod::app::schedule {
namespace {

using common::Clock;

// Returns whether `a` is served before `b`. Both are of the same level.
bool before(const Request& a, const Request& b) {
  return a.expires != b.expires ? a.expires < b.expires : a.id() < b.id();
}

}  // namespace

void PendingQueue::push(std::unique_ptr<Request> request) {
  has_shapes_ = has_shapes_ || request->shape != 0;
  Level& into = level(request->job.urgency.priority);
  constexpr std::size_t kFirstCapacity = 16;
  if (into.full()) into.set_capacity(std::max(kFirstCapacity, 2 * into.capacity()));
  const auto place = std::upper_bound(into.begin(), into.end(), request,
                                      [](const auto& one, const auto& other) { return before(*one, *other); });
  into.insert(place, std::move(request));
}

std::size_t PendingQueue::ahead_of(Priority priority, Clock::time_point expires) const {
  const auto count = [expires](const Level& of) {
    return static_cast<std::size_t>(
        std::upper_bound(of.begin(), of.end(), expires,
                         [](Clock::time_point time, const auto& one) { return time < one->expires; }) -
        of.begin());
  };
  if (priority == Priority::kNormal) {
    // Before each of these requests, and before the new one, kHighPerNormal requests of the high level may be
    // served.
    const std::size_t normals = count(normal_);
    return normals + std::min(high_.size(), kHighPerNormal * (normals + 1));
  }
  const std::size_t highs = count(high_);
  return highs + std::min(normal_.size(), highs / kHighPerNormal);
}

const Request* PendingQueue::front() const {
  if (empty()) return nullptr;
  return high_goes_next(!high_.empty(), !normal_.empty(), highs_in_a_row_) ? high_.front().get()
                                                                           : normal_.front().get();
}

std::size_t PendingQueue::count_like_front() const {
  const Request* const first = front();
  if (first == nullptr || !has_shapes_) return size();
  const auto alike = [first](const auto& one) { return one->shape == first->shape; };
  return static_cast<std::size_t>(std::count_if(high_.begin(), high_.end(), alike) +
                                  std::count_if(normal_.begin(), normal_.end(), alike));
}

Clock::time_point PendingQueue::oldest() const {
  Clock::time_point oldest = Clock::time_point::max();
  for (const Level* const of : {&high_, &normal_}) {
    for (const auto& one : *of) oldest = std::min(oldest, one->queued);
  }
  return oldest;
}

Clock::time_point PendingQueue::earliest_expiry() const {
  Clock::time_point earliest = Clock::time_point::max();
  for (const Level* const of : {&high_, &normal_}) {
    if (!of->empty()) earliest = std::min(earliest, of->front()->expires);
  }
  return earliest;
}

std::unique_ptr<Request> PendingQueue::remove(std::uint64_t id) {
  for (Level* const of : {&high_, &normal_}) {
    const auto found = std::find_if(of->begin(), of->end(), [id](const auto& one) { return one->id() == id; });
    if (found == of->end()) continue;
    auto request = std::move(*found);
    of->erase(found);
    return request;
  }
  return nullptr;
}

void PendingQueue::clear() {
  high_.clear();
  normal_.clear();
}

}  // namespace yolod::app::schedule
