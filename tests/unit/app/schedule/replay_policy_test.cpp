#include "app/schedule/replay_policy.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::schedule {
namespace {

TEST_CASE("Replay: a suspect is tried once more, a quarantined body is not", "[app][unit]") {
  CHECK(after_death(Standing::kUnknown, 0) == AfterDeath::kReplay);
  CHECK(after_death(Standing::kSuspect, 1) == AfterDeath::kReplay);
  CHECK(after_death(Standing::kQuarantined, 1) == AfterDeath::kFail);
}

TEST_CASE("Replay: a request has at most eight replays", "[app][unit]") {
  const auto standing = GENERATE(Standing::kUnknown, Standing::kSuspect);
  CHECK(after_death(standing, 7) == AfterDeath::kReplay);
  CHECK(after_death(standing, 8) == AfterDeath::kFail);
  CHECK(after_death(standing, 9) == AfterDeath::kFail);
}

TEST_CASE("Replay: a request has a batch to itself before its replays are used up", "[app][unit]") {
  CHECK(may_share_batch(0));
  CHECK(may_share_batch(kMaxSharedReplays - 1));
  CHECK_FALSE(may_share_batch(kMaxSharedReplays));
  STATIC_REQUIRE(kMaxSharedReplays < kMaxReplays);
}

}  // namespace
}  // namespace yolod::app::schedule
