// What one worker has of a model's requests: at most two batches, one that it works on and one that waits behind it, so
// that it never idles for a wake-up.
//
// `slots` is the truth about which request lies where in its lane. Owned by the dispatcher, from the worker's ready to
// its death. Front-end only, its one thread.
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

namespace yolod::app::schedule {

class Assignment {
 public:
  // The port outlives this object.
  explicit Assignment(WorkerPort& worker);

  [[nodiscard]] WorkerPort& worker() const { return *worker_; }
  [[nodiscard]] const std::shared_ptr<const common::ModelDescription>& description() const { return description_; }

  // What its lane held could not be: nothing more is read from it.
  bool lies{false};

  [[nodiscard]] std::uint32_t outstanding() const { return outstanding_; }
  // Requests that a batch may have: of its own generation's size.
  [[nodiscard]] std::size_t most() const { return slots_.size() / 2; }
  // Requests that its worker may have yet before it is recycled; nothing: as many as come.
  [[nodiscard]] std::optional<std::uint64_t> left_before_recycling() const {
    return worker_->left_before_recycling(outstanding_);
  }
  // It serves, and has nothing to do.
  [[nodiscard]] bool idle() const { return worker_->serves() && batch_count_ == 0; }
  // When the worker counts as hung, unless it completes something before. Only while it has work.
  [[nodiscard]] common::Clock::time_point hangs_at() const;
  // When it will be done with all that it has, as far as is known; `now` where it is late, or has nothing.
  [[nodiscard]] std::optional<common::Clock::time_point> expected_end(const ServiceTimes& times,
                                                                      common::Clock::time_point now) const;
  [[nodiscard]] WorkerView view(const ServiceTimes& times, common::Clock::time_point now);

  // A batch of that size begins: give() places its requests. Not without room.
  void begin_batch(std::size_t size, bool runs_alone, common::Clock::time_point now);
  // The slot that it has in the lane.
  std::uint32_t give(std::unique_ptr<Request> request);

  // Null for a slot that is empty, or that cannot be.
  [[nodiscard]] Request* in_slot(std::uint32_t slot) const;
  struct Finished {
    std::size_t predicted;         // requests of it that were not refused
    common::Clock::duration took;  // since it began, or the batch before it ended
  };
  // Takes it out of its slot, with a prediction or with what is wrong. `finished` is set if it was the last of its
  // batch.
  [[nodiscard]] std::unique_ptr<Request> take(std::uint32_t slot, bool predicted, common::Clock::time_point now,
                                              std::optional<Finished>& finished);
  // Its last answer was that it failed.
  bool fails{false};

  // Of a request that lies there, once the worker has died.
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

  // Whether the batch at hand takes longer than `factor` times what is usual, and `grace`.
  [[nodiscard]] bool longer_than(const ServiceTimes& times, int factor, common::Clock::duration grace,
                                 common::Clock::time_point now) const;

  WorkerPort* worker_;
  std::shared_ptr<const common::ModelDescription> description_;
  std::vector<std::unique_ptr<Request>> slots_;
  // Of each slot's previous occupant: what its RUNNING mark says as long as the worker has not begun the present one.
  std::vector<std::uint64_t> previous_ids_;
  std::uint32_t outstanding_{0};
  std::array<Batch, 2> batches_;  // the first is at hand
  std::size_t batch_count_{0};
  std::uint32_t next_number_{0};
  std::uint32_t next_slot_{0};
  bool runs_alone_{false};
  common::Clock::time_point last_progress_;
};

}  // namespace yolod::app::schedule
