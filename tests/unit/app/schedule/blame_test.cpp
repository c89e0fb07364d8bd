#include "app/schedule/blame.hpp"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <vector>

namespace yolod::app::schedule {
namespace {

using ipc::WorkPhase;

constexpr Evidence at(WorkPhase phase) { return {true, phase, false}; }
constexpr Evidence kNotBegun{false, {}, false};
constexpr Evidence kUnclear{true, {}, false};

std::vector<Blame> blame_all(std::initializer_list<Evidence> held, WorkerEnd end = WorkerEnd::kWorkerFault) {
  DeathSummary summary;
  for (const auto& one : held) summary.add(one);
  std::vector<Blame> blames;
  for (const auto& one : held) blames.push_back(blame(end, one, summary));
  return blames;
}

constexpr auto kNone = Blame::kNone;
constexpr auto kSuspected = Blame::kSuspected;
constexpr auto kStruck = Blame::kStruck;

TEST_CASE("Blame: a death that the worker did not cause blames no request", "[app][unit]") {
  const auto phase = GENERATE(WorkPhase::kTaken, WorkPhase::kOwnWork, WorkPhase::kWaiting, WorkPhase::kComputing);
  auto alone = at(phase);
  alone.alone = true;
  CHECK(blame_all({alone}, WorkerEnd::kExternal) == std::vector{kNone});
  CHECK(blame_all({at(phase), kUnclear, kNotBegun}, WorkerEnd::kExternal) == std::vector{kNone, kNone, kNone});
}

TEST_CASE("Blame: a request that had not begun has no blame", "[app][unit]") {
  CHECK(blame_all({kNotBegun, kUnclear}) == std::vector{kNone, kSuspected});
}

TEST_CASE("Blame: a single request is suspected though its mark shows no begin, then struck", "[app][unit]") {
  auto alone = kNotBegun;
  alone.alone = true;
  CHECK(blame_all({alone}) == std::vector{kSuspected});
  CHECK(blame_all({alone}, WorkerEnd::kExternal) == std::vector{kNone});
  alone.suspected = true;
  CHECK(blame_all({alone}) == std::vector{kStruck});
  CHECK(blame_all({alone}, WorkerEnd::kExternal) == std::vector{kNone});
}

TEST_CASE("Blame: a single request is struck, whatever its mark shows", "[app][unit]") {
  auto evidence = GENERATE(as<Evidence>{}, kUnclear, at(WorkPhase::kTaken), at(WorkPhase::kOwnWork),
                           at(WorkPhase::kWaiting), at(WorkPhase::kComputing));
  evidence.alone = true;
  CHECK(blame_all({evidence}) == std::vector{kStruck});
}

TEST_CASE("Blame: only the request of a batch that was being decoded is suspected", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kWaiting), at(WorkPhase::kOwnWork), at(WorkPhase::kTaken), kNotBegun}) ==
        std::vector{kNone, kSuspected, kNone, kNone});
}

TEST_CASE("Blame: each of several requests that were decoded at the same time is suspected", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kOwnWork), at(WorkPhase::kOwnWork), at(WorkPhase::kTaken)}) ==
        std::vector{kSuspected, kSuspected, kNone});
}

TEST_CASE("Blame: all requests that were computed together are suspected, but not those refused before",
          "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kComputing), at(WorkPhase::kComputing), at(WorkPhase::kWaiting)}) ==
        std::vector{kSuspected, kSuspected, kNone});
}

TEST_CASE("Blame: if one batch was decoded while another was computed, both are suspected", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kComputing), at(WorkPhase::kOwnWork), at(WorkPhase::kTaken)}) ==
        std::vector{kSuspected, kSuspected, kNone});
}

TEST_CASE("Blame: if the marks give no answer, all requests that had begun are suspected", "[app][unit]") {
  SECTION("no request was under way") {
    CHECK(blame_all({at(WorkPhase::kTaken), at(WorkPhase::kWaiting), kNotBegun}) ==
          std::vector{kSuspected, kSuspected, kNone});
  }
  SECTION("one mark is impossible") {
    CHECK(blame_all({at(WorkPhase::kTaken), kUnclear, at(WorkPhase::kOwnWork)}) ==
          std::vector{kSuspected, kSuspected, kSuspected});
  }
}

TEST_CASE("Blame: a request in a batch with others is never struck", "[app][unit]") {
  const std::vector<Evidence> kinds{kNotBegun,
                                    kUnclear,
                                    at(WorkPhase::kTaken),
                                    at(WorkPhase::kOwnWork),
                                    at(WorkPhase::kWaiting),
                                    at(WorkPhase::kComputing)};
  for (const auto& one : kinds) {
    for (const auto& other : kinds) {
      for (const Blame blame : blame_all({one, other})) CHECK(blame != kStruck);
    }
  }
}

}  // namespace
}  // namespace yolod::app::schedule
