#include "app/process/worker_slots.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "common/awake_clock.hpp"
#include "ipc/control.hpp"
#include "ipc/lane.hpp"

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;
using common::AwakeClock;

// These slots have no processes: no process holds the other end of their channels.
struct SlotsBench {
  WorkerProcess& give_process(WorkerSlot& slot) {
    WorkerEvents events;
    events.vanished = [](WorkerProcess&) {};
    auto started =
        WorkerProcess::start(io, ipc::make_lane_geometry(1, 1024), {"m", slot.seat, ++launches}, std::move(events),
                             [](const ipc::LentDescriptors&) -> common::Outcome<pid_t> { return pid_t{0}; });
    REQUIRE(started);
    slot.process = std::move(*started);
    return *slot.process;
  }
  [[nodiscard]] std::vector<std::uint32_t> seats() const {
    std::vector<std::uint32_t> all;
    for (const auto& slot : slots) all.push_back(slot->seat);
    return all;
  }
  boost::asio::io_context io;
  std::uint64_t launches{0};
  WorkerSlots slots{io, 3};
};

TEST_CASE("WorkerSlots: a new slot has the lowest seat that no remaining worker holds", "[app][unit]") {
  SlotsBench bench;
  CHECK(bench.seats() == std::vector<std::uint32_t>{0, 1, 2});
  (*bench.slots.begin())->leaving = true;
  CHECK(bench.slots.add().seat == 0);
  CHECK(bench.slots.add().seat == 3);
  bench.slots.remove(**std::next(bench.slots.begin()));
  CHECK(bench.seats() == std::vector<std::uint32_t>{0, 2, 0, 3});
  CHECK(bench.slots.add().seat == 1);
}

TEST_CASE("WorkerSlots: a successor has its predecessor's seat, and does not count as a worker to remove",
          "[app][unit]") {
  SlotsBench bench;
  const auto old = *std::next(bench.slots.begin());
  CHECK_FALSE(bench.slots.has_successor(*old));
  const WorkerSlot& successor = bench.slots.add_successor(old);
  CHECK(successor.seat == 1);
  CHECK(bench.slots.has_successor(*old));
  CHECK_FALSE(bench.slots.has_successor(successor));
  CHECK(bench.slots.one_to_spare()->seat == 2);
  bench.slots.remove(successor);
  CHECK_FALSE(bench.slots.has_successor(*old));
}

TEST_CASE("WorkerSlots: the last remaining slot may be removed, unless it is the only slot", "[app][unit]") {
  SlotsBench bench;
  for (const std::uint32_t seat : {2U, 1U}) {
    WorkerSlot* const spare = bench.slots.one_to_spare();
    REQUIRE(spare != nullptr);
    CHECK(spare->seat == seat);
    spare->leaving = true;
  }
  CHECK(bench.slots.one_to_spare() == nullptr);
  WorkerSlots none(bench.io, 0);
  CHECK(none.empty());
  CHECK(none.one_to_spare() == nullptr);
}

TEST_CASE("WorkerSlots: a worker that leaves is slow after two seconds", "[app][unit]") {
  SlotsBench bench;
  WorkerSlot& slot = **bench.slots.begin();
  slot.leaves_since = AwakeClock::now();
  CHECK_FALSE(bench.slots.any_leaves_slowly(slot.leaves_since + 3s));  // the worker does not leave
  slot.leaving = true;
  CHECK_FALSE(bench.slots.any_leaves_slowly(slot.leaves_since + 2s));
  CHECK(bench.slots.any_leaves_slowly(slot.leaves_since + 3s));
}

TEST_CASE("WorkerSlots: a slot is found by its process", "[app][unit]") {
  SlotsBench bench;
  CHECK_FALSE(bench.slots.any_has_process());
  for (const auto& slot : bench.slots) {
    CHECK_FALSE(bench.slots.all_have_processes());
    CHECK(&bench.slots.of(bench.give_process(*slot)) == slot.get());
    CHECK(bench.slots.any_has_process());
  }
  CHECK(bench.slots.all_have_processes());
  CHECK(bench.slots.ready_count() == 0);
  bench.slots.for_each_ready([](WorkerProcess&) { FAIL("none is ready"); });
}

TEST_CASE("WorkerSlots: the predictions of ended workers still count", "[app][unit]") {
  SlotsBench bench;
  WorkerSlot& slot = **bench.slots.begin();
  WorkerProcess& worker = bench.give_process(slot);
  worker.count_answer(true);
  worker.count_answer(false);
  worker.count_answer(true);
  CHECK(bench.slots.predictions_made() == 2);
  bench.slots.keep_count_of(worker);
  slot.process.reset();
  CHECK(bench.slots.predictions_made() == 2);
  bench.give_process(slot).count_answer(true);
  CHECK(bench.slots.predictions_made() == 3);
}

TEST_CASE("WorkerSlots: the status shows each slot, also a slot without a process", "[app][unit]") {
  SlotsBench bench;
  const std::vector<std::shared_ptr<WorkerSlot>> all = bench.slots.copy();
  all[0]->waits_for_loader = true;
  all[1]->restarts = 4;
  bench.give_process(*all[2]).count_answer(true);
  const auto status = bench.slots.status();
  REQUIRE(status.size() == 3);
  CHECK(status[0].state == "starting");
  CHECK(status[1].state == "dead");
  CHECK(status[1].restarts == 4);
  CHECK(status[2].state == "starting");  // the worker has not said hello
  CHECK(status[2].requests == 1);
}

}  // namespace
}  // namespace yolod::app::process
