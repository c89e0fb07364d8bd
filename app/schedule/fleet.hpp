// The workers that a model's dispatcher may use, and what each of them has.
//
// Front-end only, its one thread. A worker's port outlives its entry.
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
  // Null for a worker that was not added.
  [[nodiscard]] Assignment* find(WorkerPort& worker);
  // Takes it out; an empty node for a worker that was not added.
  [[nodiscard]] Assignments::node_type take(WorkerPort& worker) { return assignments_.extract(&worker); }

  [[nodiscard]] bool any_serves() const;
  [[nodiscard]] std::size_t serving_count() const;
  // What a request would have to wait for, with `ahead` others before it.
  [[nodiscard]] Backlog backlog(std::size_t ahead, const ServiceTimes& times, common::Clock::time_point now) const;
  // The workers that the next batch could go to. `lead`: how long before a busy one is done. Points into this object,
  // until the next call.
  [[nodiscard]] WorkerChoice choose(const ServiceTimes& times, common::Clock::duration lead,
                                    common::Clock::time_point now);
  // Whether a worker may be computing a copy of that request's content: a body as long that went to its worker
  // unhashed, when nothing was known, may be one.
  [[nodiscard]] bool may_hold_copy(const Request& suspect) const;

  // A lane that may be read holds completions.
  [[nodiscard]] bool has_completions() const;
  // Calls `read` for each assignment whose lane does.
  template <typename Read>
  void for_each_with_completions(const Read& read) {
    for (auto& [worker, assignment] : assignments_) {
      if (has_completions(assignment)) read(assignment);
    }
  }
  // Every request that a worker has.
  template <typename Visit>
  void for_each_request(const Visit& visit) {
    for (auto& [worker, assignment] : assignments_) {
      for (auto& request : assignment.slots()) {
        if (request) visit(*request);
      }
    }
  }
  // Condemns workers that have made no progress for too long. When the next one will be: max() for never.
  [[nodiscard]] common::Clock::time_point condemn_hung(common::Clock::time_point now);

 private:
  [[nodiscard]] static bool has_completions(const Assignment& assignment) {
    return assignment.outstanding() != 0 && !assignment.lies && assignment.worker().lane().has_completions();
  }

  Assignments assignments_;
  std::vector<WorkerView> views_;  // of a choice; kept for its memory
};

}  // namespace yolod::app::schedule
