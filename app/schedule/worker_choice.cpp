#include "app/schedule/worker_choice.hpp"

namespace yolod::app::schedule {
namespace {

bool better_idle(const WorkerView& one, const WorkerView& other) {
  if (one.fails != other.fails) return other.fails;
  return one.last_progress > other.last_progress;
}

bool better_busy(const WorkerView& one, const WorkerView& other) {
  if (one.late != other.late) return other.late;
  return *one.expected_end < *other.expected_end;
}

}  // namespace

WorkerChoice choose_worker(std::span<const WorkerView> workers, common::Clock::duration lead) {
  WorkerChoice choice;
  for (const auto& worker : workers) {
    if (worker.idle) {
      ++choice.workers.idle_count;
      if (choice.idle == nullptr || better_idle(worker, *choice.idle)) choice.idle = &worker;
    } else if (worker.has_room_behind && !worker.overdue && worker.expected_end) {
      if (choice.busy == nullptr || better_busy(worker, *choice.busy)) choice.busy = &worker;
    }
  }
  if (choice.busy != nullptr) choice.workers.handover = *choice.busy->expected_end - lead;
  return choice;
}

}  // namespace yolod::app::schedule
