// Holds the workers that a model's dispatcher may use, and their assignments.
//
// The dispatcher owns it and uses it on the front-end's only thread. A worker's port outlives its entry.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include "app/schedule/admission.hpp"
#include "app/schedule/assignment.hpp"
#include "app/schedule/request.hpp"
#include "app/schedule/service_times.hpp"
#include "app/schedule/worker_choice.hpp"
#include "app/schedule/worker_port.hpp"
#include "common/clock.hpp"

namespace yolod::app::schedule {

class Fleet {
 public:
  using Assignments = std::unordered_map<WorkerPort*, Assignment>;

  Assignment& add(WorkerPort& worker) { return assignments_.try_emplace(&worker, worker).first->second; }
  // Returns null if the worker was not added.
  [[nodiscard]] Assignment* find(WorkerPort& worker);
  // Removes a worker. Returns an empty node if the worker was not added.
  [[nodiscard]] Assignments::node_type take(WorkerPort& worker) { return assignments_.extract(&worker); }

  [[nodiscard]] bool any_serves() const;
  [[nodiscard]] std::size_t serving_count() const;
  // Returns the backlog of a request that waits behind `ahead` other requests.
  [[nodiscard]] Backlog backlog(std::size_t ahead, const ServiceTimes& times, common::Clock::time_point now) const;
  // Returns the workers that could get the next batch. A busy worker gets it `lead` before it has finished. The
  // result points into this object and is valid until the next call.
  [[nodiscard]] WorkerChoice choose(const ServiceTimes& times, common::Clock::duration lead,
                                    common::Clock::time_point now);
  // Returns whether a worker may hold a copy of this request's content. A body of the same length that a worker got
  // before it was hashed may be a copy.
  [[nodiscard]] bool may_hold_copy(const Request& suspect) const;

  // Returns whether a lane that is not corrupt holds completions that were not read to their end.
  [[nodiscard]] bool has_completions() const;
  // Calls `read` for each assignment whose lane holds such completions.
  template <typename Read>
  void for_each_with_completions(const Read& read) {
    for (auto& [worker, assignment] : assignments_) {
      if (has_completions(assignment)) read(assignment);
    }
  }
  // Calls `visit` for every request that a worker holds.
  template <typename Visit>
  void for_each_request(const Visit& visit) {
    for (auto& [worker, assignment] : assignments_) {
      for (auto& request : assignment.slots()) {
        if (request) visit(*request);
      }
    }
  }
  // Condemns workers that have made no progress for too long. Returns when the next worker counts as hung, or max().
  [[nodiscard]] common::Clock::time_point condemn_hung(common::Clock::time_point now);

 private:
  [[nodiscard]] static bool has_completions(const Assignment& assignment) {
    return assignment.outstanding() != 0 && !assignment.lane_is_corrupt &&
           (assignment.reading || assignment.worker().lane().has_completions());
  }

  Assignments assignments_;
  std::vector<WorkerView> views_;  // for choose(); kept for their memory
};

}  // namespace yolod::app::schedule
