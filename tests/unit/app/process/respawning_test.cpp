#include "app/process/respawning.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "common/awake_clock.hpp"

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;
using common::AwakeClock;

struct RespawningBench {
  explicit RespawningBench(Start start = Start::kServing)
      : respawning(start, [this](const std::string& reason) { gave_up.push_back(reason); }) {}
  std::vector<std::string> gave_up;
  Respawning respawning;
  RespawnPolicy policy;
};

TEST_CASE("Respawning: only a model that cannot be served ends the attempts, and only before it was ready",
          "[app][unit]") {
  RespawningBench bench;
  CHECK_FALSE(bench.respawning.gives_up(DeathCause::kOwnFault, "a crash"));
  CHECK(bench.respawning.is_on());
  const bool ready = GENERATE(true, false);
  if (ready) bench.respawning.was_ready();
  CHECK(bench.respawning.gives_up(DeathCause::kBadModel, "no such layer") == !ready);
  CHECK(bench.respawning.is_on() == ready);
  CHECK(bench.gave_up == (ready ? std::vector<std::string>{} : std::vector<std::string>{"no such layer"}));
}

TEST_CASE("Respawning: a death of a candidate ends the attempts, until the candidate serves", "[app][unit]") {
  RespawningBench bench(GENERATE(Start::kCandidate, Start::kBeside));
  bench.respawning.was_ready();
  CHECK(bench.respawning.is_candidate());
  const bool over = GENERATE(true, false);
  if (over) bench.respawning.candidate_serves();
  CHECK(bench.respawning.gives_up(DeathCause::kExternal, "SIGKILL") == !over);
  CHECK(bench.gave_up.size() == (over ? 0 : 1));
}

TEST_CASE("Respawning: a death that the process did not cause is replaced at once, a second crash later",
          "[app][unit]") {
  RespawningBench bench;
  bench.respawning.was_ready();
  const auto at = bench.respawning.next_start(bench.policy, DeathCause::kExternal, "worker 1 died");
  REQUIRE(at);
  CHECK(*at <= AwakeClock::now());
  (void)bench.respawning.next_start(bench.policy, DeathCause::kOwnFault, "worker 2 died");
  const auto later = bench.respawning.next_start(bench.policy, DeathCause::kOwnFault, "worker 3 died");
  REQUIRE(later);
  CHECK(*later > AwakeClock::now() + 300ms);
}

TEST_CASE("Respawning: no successor starts before its shortest delay", "[app][unit]") {
  RespawningBench bench;
  const auto before = AwakeClock::now();
  const auto at = bench.respawning.next_start(bench.policy, DeathCause::kExternal, "worker 1 died", 10s);
  REQUIRE(at);
  CHECK(*at >= before + 10s);
}

TEST_CASE("Respawning: all slots of a model share the rate", "[app][unit]") {
  RespawningBench bench;
  const auto now = AwakeClock::now();
  common::Clock::time_point last{};
  for (std::size_t i = 0; i <= RespawnRate::kPerSecond; ++i) {
    RespawnPolicy other;
    last = *bench.respawning.next_start(other, DeathCause::kExternal, "killed");
  }
  CHECK(last > now + 500ms);
}

TEST_CASE("Respawning: repeated failed loads end the attempts, unless the model has served before", "[app][unit]") {
  RespawningBench bench;
  const bool has_served = GENERATE(true, false);
  if (has_served) bench.respawning.has_served();
  int starts = 0;
  while (starts < 20 && bench.respawning.next_start(bench.policy, DeathCause::kOwnFault, "crash")) ++starts;
  CHECK((starts == 20) == has_served);
  CHECK(bench.respawning.is_on() == has_served);
  if (has_served) return;
  REQUIRE(bench.gave_up.size() == 1);
  CHECK(bench.gave_up[0] == "5 starts have failed, and none has succeeded; the last: crash");
}

TEST_CASE("Respawning: a stop prevents all successors", "[app][unit]") {
  RespawningBench bench;
  bench.respawning.stop();
  CHECK_FALSE(bench.respawning.is_on());
  CHECK_FALSE(bench.respawning.next_start(bench.policy, DeathCause::kExternal, "killed"));
  CHECK(bench.gave_up.empty());
}

TEST_CASE("Respawning: many deaths at work without a prediction between them delay the next successor", "[app][unit]") {
  RespawningBench bench;
  for (std::uint32_t i = 1; i < RequestDeaths::kMostInARow; ++i) {
    CHECK(bench.respawning.wait_after_death_at_work(7) == 0ms);
  }
  CHECK(bench.respawning.wait_after_death_at_work(7) == RequestDeaths::kPause);
  CHECK(bench.respawning.wait_after_death_at_work(8) == 0ms);
}

}  // namespace
}  // namespace yolod::app::process
