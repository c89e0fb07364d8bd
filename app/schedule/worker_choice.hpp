// Chooses which of a model's workers may get the next batch: one idle worker and one busy worker. The function is
// pure.
#pragma once

#include <optional>
#include <span>

#include "app/schedule/batch_policy.hpp"
#include "common/clock.hpp"

namespace yolod::app::schedule {

class Assignment;

// The choice uses these facts about a worker.
struct WorkerView {
  Assignment* assignment{nullptr};
  bool idle{false};             // it serves and holds no request
  bool has_room_behind{false};  // it serves, and a second batch may wait behind its batch
  bool fails{false};            // its last answer was an internal error
  bool late{false};             // its batch takes longer than expected
  bool overdue{false};          // its batch takes much longer than expected
  common::Clock::time_point last_progress;
  std::optional<common::Clock::time_point> expected_end;  // of all its requests; empty if unknown
};

struct WorkerChoice {
  // Is the idle worker that was busy last, because its data is still in a cache. A failing worker is chosen only if
  // all fail: failures are fast, so it would otherwise get most of the requests.
  const WorkerView* idle{nullptr};
  // Is the busy worker that finishes first. A late worker is chosen only if all are late. A worker that is overdue,
  // or whose end is unknown, is never chosen.
  const WorkerView* busy{nullptr};
  Workers workers;  // for next_batch()
};

// A busy worker should get its next batch `lead` before it finishes. The result points into `workers`.
[[nodiscard]] WorkerChoice choose_worker(std::span<const WorkerView> workers, common::Clock::duration lead);

}  // namespace yolod::app::schedule
