// WorkerSlots keeps the slots of one model's workers and answers the questions about all of them. It neither starts
// nor ends a process: the supervisor does that.
//
// The supervisor owns it. Only the thread of the front-end may call it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "app/process/worker_process.hpp"
#include "app/process/worker_slot.hpp"
#include "app/process/worker_status.hpp"
#include "common/clock.hpp"

namespace yolod::app::process {

class WorkerSlots {
 public:
  using Slots = std::vector<std::shared_ptr<WorkerSlot>>;

  // Makes `count` slots without processes. `io` outlives this object.
  WorkerSlots(boost::asio::io_context& io, std::uint32_t count);

  // Adds a slot at the lowest seat that no remaining worker holds. So workers stay spread evenly over the devices
  // after some of them have left.
  WorkerSlot& add();
  // Adds a slot with the seat of `old`, whose worker leaves when the worker of this slot is ready.
  WorkerSlot& add_successor(const std::shared_ptr<WorkerSlot>& old);
  void remove(const WorkerSlot& slot);

  // Iterates over the slots in the order in which they were added.
  [[nodiscard]] Slots::const_iterator begin() const { return slots_.begin(); }
  [[nodiscard]] Slots::const_iterator end() const { return slots_.end(); }
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  // A loop that adds or removes slots needs a copy.
  [[nodiscard]] Slots copy() const { return slots_; }

  // REQUIRES: `worker` is the process of one of the slots.
  [[nodiscard]] WorkerSlot& of(const WorkerProcess& worker) const;
  // Returns the last slot that neither leaves nor is a successor, or null if there are fewer than two such slots.
  [[nodiscard]] WorkerSlot* one_to_spare() const;
  [[nodiscard]] bool has_successor(const WorkerSlot& slot) const;
  // Returns true if some worker still runs two seconds after the supervisor told it to leave. Most workers need
  // less.
  [[nodiscard]] bool any_leaves_slowly(common::Clock::time_point now) const;
  [[nodiscard]] bool any_has_process() const;
  [[nodiscard]] bool all_have_processes() const;

  [[nodiscard]] std::uint32_t ready_count() const;
  // Calls `each` for each worker that is ready or busy.
  void for_each_ready(const std::function<void(WorkerProcess&)>& each) const;

  // Returns the predictions of all workers, including those that have died.
  [[nodiscard]] std::uint64_t predictions_made() const;
  void keep_count_of(const WorkerProcess& dead) { predictions_of_the_dead_ += dead.predictions_made(); }

  [[nodiscard]] std::vector<WorkerStatus> status() const;
  // Returns the sum of the private memory of the processes, less `common_bytes` for each process.
  [[nodiscard]] std::uint64_t own_bytes_beyond(std::uint64_t common_bytes) const;

 private:
  WorkerSlot& add_at(std::uint32_t seat);

  boost::asio::io_context& io_;
  Slots slots_;  // no other object owns a slot; a successor refers weakly to its predecessor
  std::uint64_t predictions_of_the_dead_{0};
};

}  // namespace yolod::app::process
