#include "app/process/worker_slots.hpp"

#include <algorithm>
#include <chrono>

#include "common/system/resident_memory.hpp"

namespace yolod::app::process {

WorkerSlots::WorkerSlots(boost::asio::io_context& io, std::uint32_t count) : io_(io) {
  for (std::uint32_t i = 0; i < count; ++i) add();
}

WorkerSlot& WorkerSlots::add() {
  std::uint32_t seat = 0;
  const auto taken = [this](std::uint32_t one) {
    return std::any_of(slots_.begin(), slots_.end(),
                       [one](const auto& slot) { return !slot->leaving && slot->seat == one; });
  };
  while (taken(seat)) ++seat;
  return add_at(seat);
}

WorkerSlot& WorkerSlots::add_successor(const std::shared_ptr<WorkerSlot>& old) {
  WorkerSlot& successor = add_at(old->seat);
  successor.successor_of = old;
  return successor;
}

WorkerSlot& WorkerSlots::add_at(std::uint32_t seat) {
  slots_.push_back(std::make_shared<WorkerSlot>(io_));
  slots_.back()->seat = seat;
  return *slots_.back();
}

void WorkerSlots::remove(const WorkerSlot& slot) {
  std::erase_if(slots_, [&slot](const auto& one) { return one.get() == &slot; });
}

WorkerSlot& WorkerSlots::of(const WorkerProcess& worker) const {
  return **std::find_if(slots_.begin(), slots_.end(),
                        [&worker](const auto& slot) { return slot->process.get() == &worker; });
}

WorkerSlot* WorkerSlots::one_to_spare() const {
  const auto stays = [](const auto& slot) { return slot->stays(); };
  if (std::count_if(slots_.begin(), slots_.end(), stays) < 2) return nullptr;
  return std::find_if(slots_.rbegin(), slots_.rend(), stays)->get();
}

bool WorkerSlots::has_successor(const WorkerSlot& slot) const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [&slot](const auto& one) { return one->successor_of.lock().get() == &slot; });
}

bool WorkerSlots::any_leaves_slowly(common::Clock::time_point now) const {
  static constexpr std::chrono::milliseconds kUsual{2'000};
  return std::any_of(slots_.begin(), slots_.end(),
                     [now](const auto& slot) { return slot->leaving && now - slot->leaves_since > kUsual; });
}

bool WorkerSlots::any_has_process() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->process != nullptr; });
}

bool WorkerSlots::all_have_processes() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->process != nullptr; });
}

std::uint32_t WorkerSlots::ready_count() const {
  return static_cast<std::uint32_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->serves(); }));
}

void WorkerSlots::for_each_ready(const std::function<void(WorkerProcess&)>& each) const {
  for (const auto& slot : slots_) {
    if (slot->serves()) each(*slot->process);
  }
}

std::uint64_t WorkerSlots::predictions_made() const {
  std::uint64_t count = predictions_of_the_dead_;
  for (const auto& slot : slots_) count += slot->process ? slot->process->predictions_made() : 0;
  return count;
}

std::vector<WorkerStatus> WorkerSlots::status() const {
  std::vector<WorkerStatus> all;
  for (const auto& slot : slots_) {
    WorkerStatus status;
    status.restarts = slot->restarts;
    status.state = slot->waits_for_loader ? "starting" : "dead";
    if (slot->process) {
      status.pid = slot->process->pid();
      status.state = to_string(slot->process->state());
      status.requests = slot->process->requests_served();
      status.device = slot->process->description().device;
      status.precision = slot->process->description().precision;
      status.sandbox = slot->process->sandbox();
    }
    all.push_back(std::move(status));
  }
  return all;
}

std::uint64_t WorkerSlots::own_bytes_beyond(std::uint64_t common_bytes) const {
  std::uint64_t bytes = 0;
  for (const auto& slot : slots_) {
    if (!slot->process) continue;
    const std::uint64_t own = common::own_bytes(slot->process->pid());
    bytes += own - std::min(own, common_bytes);
  }
  return bytes;
}

}  // namespace yolod::app::process
