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

TEST_CASE("Blame: a death that was not the worker's own doing is nobody's", "[app][unit]") {
  const auto phase = GENERATE(WorkPhase::kTaken, WorkPhase::kOwnWork, WorkPhase::kWaiting, WorkPhase::kComputing);
  auto alone = at(phase);
  alone.alone = true;
  CHECK(blame_all({alone}, WorkerEnd::kExternal) == std::vector{kNone});
  CHECK(blame_all({at(phase), kUnclear, kNotBegun}, WorkerEnd::kExternal) == std::vector{kNone, kNone, kNone});
}

TEST_CASE("Blame: what was not begun has none, whatever else there was", "[app][unit]") {
  CHECK(blame_all({kNotBegun, kUnclear}) == std::vector{kNone, kSuspected});
}

TEST_CASE("Blame: a request that was alone is suspected though its mark says that it was not begun, then struck",
          "[app][unit]") {
  auto alone = kNotBegun;
  alone.alone = true;
  CHECK(blame_all({alone}) == std::vector{kSuspected});
  CHECK(blame_all({alone}, WorkerEnd::kExternal) == std::vector{kNone});
  alone.suspected = true;
  CHECK(blame_all({alone}) == std::vector{kStruck});
  CHECK(blame_all({alone}, WorkerEnd::kExternal) == std::vector{kNone});
}

TEST_CASE("Blame: a request that was alone is struck, whatever its mark says", "[app][unit]") {
  auto evidence = GENERATE(as<Evidence>{}, kUnclear, at(WorkPhase::kTaken), at(WorkPhase::kOwnWork),
                           at(WorkPhase::kWaiting), at(WorkPhase::kComputing));
  evidence.alone = true;
  CHECK(blame_all({evidence}) == std::vector{kStruck});
}

TEST_CASE("Blame: of a batch the one that was decoded is suspected, and no other", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kWaiting), at(WorkPhase::kOwnWork), at(WorkPhase::kTaken), kNotBegun}) ==
        std::vector{kNone, kSuspected, kNone, kNone});
}

TEST_CASE("Blame: of several that were decoded at once each is suspected", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kOwnWork), at(WorkPhase::kOwnWork), at(WorkPhase::kTaken)}) ==
        std::vector{kSuspected, kSuspected, kNone});
}

TEST_CASE("Blame: all that were computed together are suspected, but not what was refused before", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kComputing), at(WorkPhase::kComputing), at(WorkPhase::kWaiting)}) ==
        std::vector{kSuspected, kSuspected, kNone});
}

TEST_CASE("Blame: of two batches, one decoded while the other was computed, both are suspected", "[app][unit]") {
  CHECK(blame_all({at(WorkPhase::kComputing), at(WorkPhase::kOwnWork), at(WorkPhase::kTaken)}) ==
        std::vector{kSuspected, kSuspected, kNone});
}

TEST_CASE("Blame: where the marks do not tell, all that had begun are suspected", "[app][unit]") {
  SECTION("nothing was under way") {
    CHECK(blame_all({at(WorkPhase::kTaken), at(WorkPhase::kWaiting), kNotBegun}) ==
          std::vector{kSuspected, kSuspected, kNone});
  }
  SECTION("one mark cannot be") {
    CHECK(blame_all({at(WorkPhase::kTaken), kUnclear, at(WorkPhase::kOwnWork)}) ==
          std::vector{kSuspected, kSuspected, kSuspected});
  }
}

TEST_CASE("Blame: in company nothing is ever struck", "[app][unit]") {
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
