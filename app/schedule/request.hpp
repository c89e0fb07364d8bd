// A Request exists from the admission to the answer. These objects are the front-end's private table, which is
// authoritative whatever a lane says.
//
//   queued -> dispatched -> (answered, gone)
//     ^           |
//     \-- replay -/        after the death of its worker
//
// If the quarantine knows a body of the same length, the request's body is hashed before the request is queued.
//
// A request may be answered early while a worker holds it: with 504 at its deadline, or with 503 at a stop. It then
// stays in the table without a handler until its worker has completed it or was reaped. Only after that may its
// block in the arena be used again.
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

// The work of a request: complete content in the arena, and options.
struct Job {
  std::uint64_t id{0};  // Dispatcher::new_id()
  Urgency urgency;
  common::PredictionOptions options;
  common::ContentKind kind{common::ContentKind::kFile};
  std::span<const std::byte> content;
  std::uint32_t rows{1};            // how many inferences the statistics count for the request
  std::uint64_t content_offset{0};  // from the start of the arena
  // Either the job's own block or a block that several jobs share contains the content.
  ipc::ArenaBlock block;
  std::shared_ptr<const ipc::ArenaBlock> shared_block;
};

struct Request : common::Recycled<Request> {
  Job job;
  AnswerHandler handler;  // empty once answered
  common::Clock::time_point admitted;
  common::Clock::time_point queued;  // when it began to wait, after the last replay
  common::Clock::time_point dispatched;
  common::Clock::time_point deadline;
  // Is the earlier of the deadline and the end of the queue's timeout. Requests are served in the order of this
  // time.
  common::Clock::time_point expires;
  // Requests with different shapes gain nothing from a common batch.
  std::uint64_t shape{0};
  std::uint32_t batch{0};       // the number of the worker's batch
  std::uint32_t batch_rows{0};  // the rows of all requests of that batch
  std::uint32_t replays{0};
  std::optional<BodyHash> hash;  // of the content; computed only if the quarantine knows a body of that length
  // The blame for its worker's death, until the hash is computed.
  std::optional<Blame> pending_blame;
  Standing standing{Standing::kUnknown};

  [[nodiscard]] std::uint64_t id() const { return job.id; }
  [[nodiscard]] bool answered() const { return !handler; }
  // Returns whether the request must run alone because a worker may have died of its body. This shows whether the
  // body is the cause, and protects other requests.
  [[nodiscard]] bool runs_alone() const { return standing != Standing::kUnknown; }
  [[nodiscard]] std::span<const std::byte> content() const { return job.content; }
};

}  // namespace yolod::app::schedule
