// An Assignment holds the requests of one worker: at most two batches. The worker runs the first one, and the second
// one waits, so that the worker need not wait for the front-end between two batches.
//
// The front-end trusts slots(), and not the lane, to tell which slot holds which request. The dispatcher owns an
// Assignment from the worker's ready message to its death, and uses it on the front-end's only thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "app/schedule/blame.hpp"
#include "app/schedule/request.hpp"
#include "app/schedule/service_times.hpp"
#include "app/schedule/worker_choice.hpp"
#include "app/schedule/worker_port.hpp"
#include "common/clock.hpp"
#include "ipc/layout.hpp"
#include "ipc/prediction_reader.hpp"

namespace yolod::app::schedule {

class Assignment {
 public:
  // `worker` outlives this object.
  explicit Assignment(WorkerPort& worker);

  [[nodiscard]] WorkerPort& worker() const { return *worker_; }
  [[nodiscard]] const std::shared_ptr<const common::ModelDescription>& description() const { return description_; }

  // Is true if the worker wrote an invalid value to its lane. The front-end then reads nothing more from it.
  bool lane_is_corrupt{false};

  // A completion whose result is being read, in several turns of the event loop.
  struct Reading {
    explicit Reading(const ipc::CompletionCell& from) : completion(from), result(from.slot, from.result_bytes) {}
    ipc::CompletionCell completion;
    ipc::PredictionReader result;
  };
  std::optional<Reading> reading;

  [[nodiscard]] std::uint32_t outstanding() const { return outstanding_; }
  // Returns the most requests of a batch, which the lane of this worker's generation decides.
  [[nodiscard]] std::size_t max_batch_size() const { return slots_.size() / 2; }
  // Returns how many more requests the worker may get before it is recycled, or nothing if there is no limit.
  [[nodiscard]] std::optional<std::uint64_t> left_before_recycling() const {
    return worker_->left_before_recycling(outstanding_);
  }
  // Returns whether the worker serves and holds no request.
  [[nodiscard]] bool idle() const { return worker_->serves() && batch_count_ == 0; }
  // Returns when the worker counts as hung if it completes nothing before. REQUIRES: the worker holds a request.
  [[nodiscard]] common::Clock::time_point hangs_at() const;
  // Returns when the worker will probably have finished all its requests, or nothing if that is unknown. Returns
  // `now` if the worker is late or idle.
  [[nodiscard]] std::optional<common::Clock::time_point> expected_end(const ServiceTimes& times,
                                                                      common::Clock::time_point now) const;
  [[nodiscard]] WorkerView view(const ServiceTimes& times, common::Clock::time_point now);

  // Begins a batch of this size; give() then adds its requests. REQUIRES: the worker holds at most one batch.
  void begin_batch(std::size_t size, bool runs_alone, common::Clock::time_point now);
  // Adds a request to the batch and returns its slot in the lane.
  std::uint32_t give(std::unique_ptr<Request> request);

  // Returns the request in this slot. Returns null if the slot is empty or does not exist.
  [[nodiscard]] Request* in_slot(std::uint32_t slot) const;
  struct Finished {
    std::size_t predicted;         // requests of the batch that got a prediction
    common::Clock::duration took;  // since the batch began, or since the batch before it ended
  };
  // Removes a request that has its answer from its slot. `predicted` is true if the answer is a prediction. Sets
  // `finished` if the request was the last of its batch.
  [[nodiscard]] std::unique_ptr<Request> take(std::uint32_t slot, bool predicted, common::Clock::time_point now,
                                              std::optional<Finished>& finished);
  // Is true if the worker's last answer was an internal error.
  bool fails{false};

  // Returns the evidence about the request in this slot. Call it after the worker has died.
  [[nodiscard]] Evidence evidence(std::uint32_t slot) const;
  [[nodiscard]] std::vector<std::unique_ptr<Request>>& slots() { return slots_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Request>>& slots() const { return slots_; }

 private:
  struct Batch {
    std::uint32_t number{0};
    std::uint32_t size{0};
    std::uint32_t left{0};
    std::uint32_t predicted{0};
    common::Clock::time_point begun;
  };

  // Returns whether the first batch takes longer than `factor` times its expected time and `grace`.
  [[nodiscard]] bool longer_than(const ServiceTimes& times, int factor, common::Clock::duration grace,
                                 common::Clock::time_point now) const;

  WorkerPort* worker_;
  std::shared_ptr<const common::ModelDescription> description_;
  std::vector<std::unique_ptr<Request>> slots_;
  // Holds the id of each slot's previous request. The slot's RUNNING mark has this id until the worker begins the
  // present request.
  std::vector<std::uint64_t> previous_ids_;
  std::uint32_t outstanding_{0};
  std::array<Batch, 2> batches_;  // the worker runs the first one
  std::size_t batch_count_{0};
  std::uint32_t next_number_{0};
  std::uint32_t next_slot_{0};
  bool runs_alone_{false};
  common::Clock::time_point last_progress_;
};

}  // namespace yolod::app::schedule
