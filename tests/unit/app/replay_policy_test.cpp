#include "app/schedule/replay_policy.hpp"

#include <catch2/catch.hpp>

namespace yolod::app {
namespace {

TEST_CASE("Replay: a request that had not begun is replayed without a strike, whatever its worker died of",
          "[app][unit]") {
  const auto cause = GENERATE(DeathCause::kOwnDoing, DeathCause::kNotItsDoing, DeathCause::kBadModel);
  const auto decision = after_death(cause, false, 0, 0);
  CHECK(decision.what == AfterDeath::kReplay);
  CHECK(decision.strikes == 0);
}

TEST_CASE("Replay: a running request is not to blame for what was not its worker's doing", "[app][unit]") {
  const auto decision = after_death(DeathCause::kNotItsDoing, true, 0, 0);
  CHECK(decision.what == AfterDeath::kReplay);
  CHECK(decision.strikes == 0);
}

TEST_CASE("Replay: running while its worker crashed gives a strike and one more try", "[app][unit]") {
  const auto decision = after_death(DeathCause::kOwnDoing, true, 0, 0);
  CHECK(decision.what == AfterDeath::kReplay);
  CHECK(decision.strikes == 1);
}

TEST_CASE("Replay: the second strike fails it", "[app][unit]") {
  const auto decision = after_death(DeathCause::kOwnDoing, true, 1, 1);
  CHECK(decision.what == AfterDeath::kFail);
  CHECK(decision.strikes == 2);
}

TEST_CASE("Replay: a strike is kept over a death that is not the worker's doing", "[app][unit]") {
  const auto decision = after_death(DeathCause::kNotItsDoing, true, 1, 1);
  CHECK(decision.what == AfterDeath::kReplay);
  CHECK(decision.strikes == 1);
}

TEST_CASE("Replay: eight replays are the most", "[app][unit]") {
  const bool was_running = GENERATE(true, false);
  CHECK(after_death(DeathCause::kNotItsDoing, was_running, 0, 7).what == AfterDeath::kReplay);
  CHECK(after_death(DeathCause::kNotItsDoing, was_running, 0, 8).what == AfterDeath::kFail);
  CHECK(after_death(DeathCause::kNotItsDoing, was_running, 0, 9).what == AfterDeath::kFail);
}

}  // namespace
}  // namespace yolod::app
