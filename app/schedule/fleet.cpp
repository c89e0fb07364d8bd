#include "app/schedule/fleet.hpp"

#include <algorithm>

namespace yolod::app::schedule {

using common::Clock;

Assignment* Fleet::find(WorkerPort& worker) {
  const auto found = assignments_.find(&worker);
  return found == assignments_.end() ? nullptr : &found->second;
}

bool Fleet::any_serves() const {
  return std::any_of(assignments_.begin(), assignments_.end(), [](const auto& entry) { return entry.first->serves(); });
}

std::size_t Fleet::serving_count() const {
  return static_cast<std::size_t>(
      std::count_if(assignments_.begin(), assignments_.end(), [](const auto& entry) { return entry.first->serves(); }));
}

Backlog Fleet::backlog(std::size_t ahead, const ServiceTimes& times, Clock::time_point now) const {
  Backlog backlog;
  backlog.ahead = ahead;
  backlog.of_request = times.of_request();
  std::optional<Clock::time_point> first_free;
  for (const auto& [worker, assignment] : assignments_) {
    if (!worker->serves()) continue;
    ++backlog.worker_count;
    backlog.any_idle = backlog.any_idle || assignment.idle();
    const auto end = assignment.expected_end(times, now);
    if (end && (!first_free || *end < *first_free)) first_free = end;
  }
  if (first_free) backlog.first_free = *first_free - now;
  return backlog;
}

WorkerChoice Fleet::choose(const ServiceTimes& times, Clock::duration lead, Clock::time_point now) {
  views_.clear();
  for (auto& [worker, assignment] : assignments_) {
    if (assignment.left_before_recycling() == 0U) continue;  // its successor will be ready soon
    views_.push_back(assignment.view(times, now));
  }
  if (views_.empty()) {  // all are due for recycling, but they serve on while another worker leaves slowly
    for (auto& [worker, assignment] : assignments_) {
      if (worker->another_leaves_slowly()) views_.push_back(assignment.view(times, now));
    }
  }
  return choose_worker(views_, lead);
}

bool Fleet::may_hold_copy(const Request& suspect) const {
  return std::any_of(assignments_.begin(), assignments_.end(), [&](const auto& entry) {
    const auto& slots = entry.second.slots();
    return std::any_of(slots.begin(), slots.end(), [&](const auto& held) {
      return held && held->content().size() == suspect.content().size() && (!held->hash || held->hash == suspect.hash);
    });
  });
}

bool Fleet::has_completions() const {
  return std::any_of(assignments_.begin(), assignments_.end(),
                     [](const auto& entry) { return has_completions(entry.second); });
}

Clock::time_point Fleet::condemn_hung(Clock::time_point now) {
  auto next = Clock::time_point::max();
  for (auto& [worker, assignment] : assignments_) {
    if (assignment.outstanding() == 0) continue;
    const auto hangs_at = assignment.hangs_at();
    if (now >= hangs_at) worker->condemn_hung("it made no progress within hang_timeout");
    next = std::min(next, hangs_at);
  }
  return next;
}

}  // namespace yolod::app::schedule
