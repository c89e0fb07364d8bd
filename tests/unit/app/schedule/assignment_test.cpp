#include "app/schedule/assignment.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "tests/unit/app/schedule/fake_worker.hpp"

namespace yolod::app::schedule {
namespace {

using common::Clock;
using ipc::WorkPhase;

constexpr Clock::time_point kMoment{std::chrono::hours(1)};

// One worker's assignment, and the worker's side of its lane.
class AssignmentBench {
 public:
  std::uint32_t give(std::uint64_t id) {
    auto request = std::make_unique<Request>();
    request->job.id = id;
    return assignment->give(std::move(request));
  }
  void mark(std::uint32_t slot, std::uint64_t id, WorkPhase phase) {
    ipc::RequestCell cell{};
    cell.id = id;
    cell.slot = slot;
    worker_.mark(cell, phase);
  }
  void finish(std::uint32_t slot) {
    std::optional<Assignment::Finished> finished;
    (void)assignment->take(slot, true, kMoment, finished);
  }

 private:
  common::ModelConfig config_;
  FakeWorker worker_{config_};

 public:
  std::optional<Assignment> assignment{std::in_place, worker_};
};

TEST_CASE("Assignment: a request has not begun as long as its slot has the mark of the earlier request",
          "[app][unit]") {
  AssignmentBench bench;
  bench.assignment->begin_batch(1, false, kMoment);
  auto slot = bench.give(1);
  CHECK_FALSE(bench.assignment->evidence(slot).begun);
  bench.mark(slot, 1, WorkPhase::kTaken);
  CHECK(bench.assignment->evidence(slot).begun);
  CHECK(bench.assignment->evidence(slot).phase == WorkPhase::kTaken);
  bench.finish(slot);

  bench.assignment->begin_batch(1, false, kMoment);
  REQUIRE(bench.give(2) == slot);
  const auto phase = GENERATE(WorkPhase::kTaken, WorkPhase::kOwnWork, WorkPhase::kWaiting, WorkPhase::kComputing);
  bench.mark(slot, 1, phase);  // whatever phase the earlier request had
  CHECK_FALSE(bench.assignment->evidence(slot).begun);
  bench.mark(slot, 2, phase);
  CHECK(bench.assignment->evidence(slot).phase == phase);
}

TEST_CASE("Assignment: a mark of neither this nor the earlier request means begun, without a phase", "[app][unit]") {
  const std::uint64_t id = GENERATE(as<std::uint64_t>{}, 0, 5, 8, UINT64_MAX / ipc::kWorkPhases);
  AssignmentBench bench;
  bench.assignment->begin_batch(1, false, kMoment);
  auto slot = bench.give(6);
  bench.mark(slot, 6, WorkPhase::kComputing);
  bench.finish(slot);
  bench.assignment->begin_batch(1, false, kMoment);
  slot = bench.give(7);
  bench.mark(slot, id, WorkPhase::kTaken);
  CHECK(bench.assignment->evidence(slot).begun);
  CHECK_FALSE(bench.assignment->evidence(slot).phase);
}

TEST_CASE("Assignment: if a worker is faulty, everything has begun and its marks are ignored", "[app][unit]") {
  AssignmentBench bench;
  bench.assignment->begin_batch(2, false, kMoment);
  const auto first = bench.give(1);
  const auto second = bench.give(2);
  bench.mark(first, 1, WorkPhase::kOwnWork);
  bench.assignment->lane_is_corrupt = true;
  for (const auto slot : {first, second}) {
    CHECK(bench.assignment->evidence(slot).begun);
    CHECK_FALSE(bench.assignment->evidence(slot).phase);
  }
}

TEST_CASE("Assignment: a request is alone if its worker was given one batch with only that request", "[app][unit]") {
  AssignmentBench bench;
  bench.assignment->begin_batch(1, false, kMoment);
  const auto first = bench.give(1);
  CHECK(bench.assignment->evidence(first).alone);
  SECTION("a request with a batch behind it is not alone") {
    bench.assignment->begin_batch(1, false, kMoment);
    const auto behind = bench.give(2);
    CHECK_FALSE(bench.assignment->evidence(first).alone);
    CHECK_FALSE(bench.assignment->evidence(behind).alone);
  }
  SECTION("the last request of a larger batch is not alone") {
    bench.finish(first);
    bench.assignment->begin_batch(2, false, kMoment);
    const auto one = bench.give(2);
    const auto other = bench.give(3);
    bench.finish(one);
    CHECK_FALSE(bench.assignment->evidence(other).alone);
  }
}

}  // namespace
}  // namespace yolod::app::schedule
