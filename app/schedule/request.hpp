// One request between its admission and its answer, as the front-end's private table has it: the truth about it,
// whatever a lane says.
//
//   queued -> dispatched -> (answered, gone)
//     ^           |
//     \-- replay -/        its worker died
//
// On its way into the queue its body is hashed, if something is known of a body as long.
//
// A request that was answered early (504 at its deadline, 503 at a stop) while dispatched stays in the table without a
// client until its worker has completed it or was reaped: only then may its bytes in the arena be used again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "app/schedule/answer_handler.hpp"
#include "app/schedule/blame.hpp"
#include "app/schedule/quarantine.hpp"
#include "app/schedule/urgency.hpp"
#include "common/clock.hpp"
#include "common/domain/content.hpp"
#include "common/domain/description.hpp"
#include "common/domain/options.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/work_times.hpp"
#include "common/outcome.hpp"
#include "common/recycled.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::schedule {

// What a request asks the model: content that lies in the arena, complete.
struct Job {
  std::uint64_t id{0};  // Dispatcher::new_id()
  Urgency urgency;
  common::PredictionOptions options;
  common::ContentKind kind{common::ContentKind::kFile};
  std::span<const std::byte> content;
  std::uint64_t content_offset{0};  // within the arena
  // The content lies in one of these, which the job keeps: its own, or one that several jobs share.
  ipc::ArenaBlock block;
  std::shared_ptr<const ipc::ArenaBlock> shared_block;
};

struct Request : common::Recycled<Request> {
  Job job;
  AnswerHandler handler;  // empty once answered
  common::Clock::time_point admitted;
  common::Clock::time_point queued;  // since when it waits, replays included
  common::Clock::time_point dispatched;
  common::Clock::time_point deadline;
  common::Clock::time_point
      expires;  // of the deadline and the queue's timeout, the earlier: what comes first goes first
  // Of requests that gain nothing from sharing a batch with others than their like: what tells these.
  std::uint64_t shape{0};
  std::uint32_t batch{0};  // which of its worker's batches it is in
  std::uint32_t replays{0};
  std::optional<BodyHash> hash;  // of the content; made when something is known of a body as long
  // Of its worker's death, until the hash is there: how much of that is held against it.
  std::optional<Blame> of_death;
  Standing standing{Standing::kUnknown};

  [[nodiscard]] std::uint64_t id() const { return job.id; }
  [[nodiscard]] bool answered() const { return !handler; }
  // A body that a worker may have died of runs alone: that tells, and it can take no neighbour with it.
  [[nodiscard]] bool runs_alone() const { return standing != Standing::kUnknown; }
  [[nodiscard]] std::span<const std::byte> content() const { return job.content; }
};

}  // namespace yolod::app::schedule
