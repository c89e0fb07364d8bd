#include "app/schedule/worker_choice.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

namespace {

using namespace std::chrono_literals;
using yolod::app::schedule::choose_worker;
using yolod::app::schedule::WorkerView;
using yolod::common::Clock;

const Clock::time_point kStart{1h};

WorkerView idle_since(Clock::duration when, bool fails = false) {
  WorkerView state;
  state.idle = true;
  state.fails = fails;
  state.last_progress = kStart + when;
  return state;
}

WorkerView busy_until(Clock::duration when, bool late = false) {
  WorkerView state;
  state.has_room_behind = true;
  state.late = late;
  state.expected_end = kStart + when;
  return state;
}

// Returns the place of the chosen worker in `states`, whatever their order is.
template <typename Pick>
std::size_t always_chosen(std::vector<WorkerView> states, Pick pick) {
  std::vector<std::size_t> order(states.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::vector<std::size_t> chosen;
  do {
    std::vector<WorkerView> shuffled;
    for (const std::size_t i : order) shuffled.push_back(states[i]);
    const WorkerView* const one = pick(choose_worker(shuffled, 0ms));
    REQUIRE(one != nullptr);
    chosen.push_back(order[static_cast<std::size_t>(one - shuffled.data())]);
  } while (std::next_permutation(order.begin(), order.end()));
  REQUIRE(std::all_of(chosen.begin(), chosen.end(), [&](std::size_t place) { return place == chosen.front(); }));
  return chosen.front();
}

std::size_t idle_of(std::vector<WorkerView> states) {
  return always_chosen(std::move(states), [](const auto& choice) { return choice.idle; });
}

std::size_t busy_of(std::vector<WorkerView> states) {
  return always_chosen(std::move(states), [](const auto& choice) { return choice.busy; });
}

}  // namespace

TEST_CASE("WorkerChoice: without workers no worker is chosen", "[app]") {
  const auto choice = choose_worker({}, 1ms);
  CHECK(choice.idle == nullptr);
  CHECK(choice.busy == nullptr);
  CHECK(choice.workers.idle_count == 0);
  CHECK_FALSE(choice.workers.handover);
}

TEST_CASE("WorkerChoice: of the idle workers, the last one to be busy is chosen", "[app]") {
  CHECK(idle_of({idle_since(1s), idle_since(3s), idle_since(2s)}) == 1);
  CHECK(choose_worker(std::array{idle_since(1s), busy_until(1s), idle_since(2s)}, 0ms).workers.idle_count == 2);
}

TEST_CASE("WorkerChoice: a failing worker gets work only if all workers fail", "[app]") {
  CHECK(idle_of({idle_since(1s), idle_since(3s, true), idle_since(2s, true)}) == 0);
  CHECK(idle_of({idle_since(1s, true), idle_since(3s, true), idle_since(2s, true)}) == 1);
  CHECK(choose_worker(std::array{idle_since(1s, true)}, 0ms).workers.idle_count == 1);
}

TEST_CASE("WorkerChoice: of the busy workers, the first to finish is chosen, just before it finishes", "[app]") {
  CHECK(busy_of({busy_until(30ms), busy_until(10ms), busy_until(20ms)}) == 1);
  const auto choice = choose_worker(std::array{busy_until(30ms), busy_until(10ms)}, 2ms);
  CHECK(choice.workers.handover == kStart + 8ms);
}

TEST_CASE("WorkerChoice: a late worker waits for work until all workers are late", "[app]") {
  CHECK(busy_of({busy_until(1ms, true), busy_until(30ms), busy_until(20ms)}) == 2);
  CHECK(busy_of({busy_until(2ms, true), busy_until(1ms, true)}) == 1);
}

TEST_CASE("WorkerChoice: no batch goes behind a batch that is overdue, unknown, or must stay alone", "[app]") {
  auto overdue = busy_until(1ms, true);
  overdue.overdue = true;
  auto unknown = busy_until(1ms);
  unknown.expected_end.reset();
  auto full = busy_until(1ms);
  full.has_room_behind = false;
  for (const auto& state : {overdue, unknown, full}) {
    const auto choice = choose_worker(std::array{state}, 0ms);
    CHECK(choice.busy == nullptr);
    CHECK_FALSE(choice.workers.handover);
    CHECK(busy_of({state, busy_until(1s)}) == 1);
  }
}
