// Which of a model's workers the next batch would go to, idle or busy: a pure function of what is known of each.
#pragma once

#include <optional>
#include <span>

#include "app/schedule/batch_policy.hpp"
#include "common/clock.hpp"

namespace yolod::app::schedule {

class Assignment;

// A worker as the choice sees it.
struct WorkerView {
  Assignment* assignment{nullptr};
  bool idle{false};             // it serves, and has nothing to do
  bool has_room_behind{false};  // it serves, and a batch may wait behind the one at hand
  bool fails{false};            // its last answer was that it failed
  bool late{false};             // the batch at hand takes longer than it should
  bool overdue{false};          // far longer
  common::Clock::time_point last_progress;
  std::optional<common::Clock::time_point> expected_end;  // of all that it has; nothing: nobody knows
};

struct WorkerChoice {
  // Among the idle: the one that was busy last, as what it needs is still in a cache; but one that fails only where all
  // do: who fails is fast, and would get the more work for it.
  const WorkerView* idle{nullptr};
  // Among the busy: the one that is done first; but one that is late only where all are, and one that is overdue, or of
  // which nobody knows when it will be done, never.
  const WorkerView* busy{nullptr};
  Workers workers;  // for next_batch()
};

// `lead`: how long before a busy worker is done its next batch should go to it. Points into `workers`.
[[nodiscard]] WorkerChoice choose_worker(std::span<const WorkerView> workers, common::Clock::duration lead);

}  // namespace yolod::app::schedule
