#include "app/schedule/assignment.hpp"

#include <algorithm>
#include <utility>

#include "common/config/hang_allowance.hpp"

namespace yolod::app::schedule {

using common::Clock;

Assignment::Assignment(WorkerPort& worker)
    : worker_(&worker),
      description_(std::make_shared<const common::ModelDescription>(worker.description())),
      slots_(worker.lane().geometry().slot_count),
      previous_ids_(worker.lane().geometry().slot_count) {}

std::optional<Clock::time_point> Assignment::expected_end(const ServiceTimes& times, Clock::time_point now) const {
  Clock::time_point end = batch_count_ == 0 ? now : batches_[0].begun;
  for (std::size_t i = 0; i < batch_count_; ++i) {
    const auto took = times.of_batch(batches_[i].size);
    if (!took) return std::nullopt;
    end = std::max(now, end + *took);
  }
  return end;
}

WorkerView Assignment::view(const ServiceTimes& times, Clock::time_point now) {
  constexpr int kFar = 4;
  constexpr std::chrono::milliseconds kGrace{100};
  WorkerView view;
  view.assignment = this;
  view.idle = idle();
  // No request may wait behind a suspect.
  view.has_room_behind = worker_->serves() && batch_count_ == 1 && !runs_alone_;
  view.fails = fails;
  view.late = longer_than(times, 1, Clock::duration::zero(), now);
  view.overdue = longer_than(times, kFar, kGrace, now);
  view.last_progress = last_progress_;
  view.expected_end = expected_end(times, now);
  return view;
}

bool Assignment::longer_than(const ServiceTimes& times, int factor, Clock::duration grace,
                             Clock::time_point now) const {
  if (batch_count_ == 0) return false;
  const auto took = times.of_batch(batches_[0].size);
  return took && now - batches_[0].begun > factor * *took + grace;
}

// The allowance counts from the dispatch or from the last completion, whichever is later.
Clock::time_point Assignment::hangs_at() const {
  const std::size_t to_decode = description_->decodes_ahead ? outstanding_ : batches_[0].left;
  return last_progress_ + common::hang_allowance(worker_->config(), to_decode);
}

void Assignment::begin_batch(std::size_t size, bool runs_alone, Clock::time_point now) {
  if (batch_count_ == 0) last_progress_ = now;
  runs_alone_ = runs_alone;
  next_slot_ = 0;
  const auto count = static_cast<std::uint32_t>(size);
  batches_[batch_count_++] = {++next_number_, count, count, 0, now};
}

std::uint32_t Assignment::give(std::unique_ptr<Request> request) {
  while (slots_[next_slot_]) ++next_slot_;  // the lane has enough slots for two batches
  request->batch = next_number_;
  slots_[next_slot_] = std::move(request);
  ++outstanding_;
  return next_slot_;
}

Request* Assignment::in_slot(std::uint32_t slot) const { return slot < slots_.size() ? slots_[slot].get() : nullptr; }

Evidence Assignment::evidence(std::uint32_t slot) const {
  Evidence evidence;
  evidence.alone = batch_count_ == 1 && batches_[0].size == 1;
  evidence.suspected = slots_[slot]->standing != Standing::kUnknown;
  if (lane_is_corrupt) return evidence;  // the RUNNING marks of a corrupt lane prove nothing
  const auto mark = worker_->lane().running_mark(slot);
  evidence.begun = mark.id != previous_ids_[slot];
  if (mark.id == slots_[slot]->id()) evidence.phase = mark.phase;
  return evidence;
}

std::unique_ptr<Request> Assignment::take(std::uint32_t slot, bool predicted, Clock::time_point now,
                                          std::optional<Finished>& finished) {
  auto request = std::move(slots_[slot]);
  previous_ids_[slot] = request->id();
  --outstanding_;
  last_progress_ = now;
  for (std::size_t i = 0; i < batch_count_; ++i) {
    if (batches_[i].number != request->batch) continue;
    if (predicted) ++batches_[i].predicted;
    if (--batches_[i].left != 0) break;
    finished = Finished{batches_[i].predicted, now - batches_[i].begun};
    std::move(batches_.begin() + static_cast<std::ptrdiff_t>(i) + 1, batches_.end(),
              batches_.begin() + static_cast<std::ptrdiff_t>(i));
    --batch_count_;
    if (batch_count_ != 0) batches_[0].begun = now;
    break;
  }
  return request;
}

}  // namespace yolod::app::schedule
