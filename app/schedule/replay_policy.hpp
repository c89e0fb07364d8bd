// What becomes of a request whose worker died: pure functions.
//
// Inference has no side effects, so a replay is safe. A request that was running when its worker died of its own doing
// may be the reason: it gets a strike and one more try, alone; the second strike is answered 500.
#pragma once

#include <cstdint>

#include "app/process/respawn_policy.hpp"
#include "app/schedule/quarantine.hpp"

namespace yolod::app {

inline constexpr std::uint32_t kMaxReplays = 8;
// After so many it has a batch to itself: what holds up its neighbours, and has them killed with it again and again
// before a deadline tells which of them it is, is not to use up all of their replays.
inline constexpr std::uint32_t kReplaysInCompany = 4;

enum class AfterDeath { kReplay, kFail };

[[nodiscard]] constexpr bool earns_strike(DeathCause cause, bool was_running) {
  return was_running && cause != DeathCause::kNotItsDoing;
}

[[nodiscard]] constexpr bool may_have_company(std::uint32_t replays) { return replays < kReplaysInCompany; }

// `standing` of its body, after the strike if it earned one.
[[nodiscard]] constexpr AfterDeath after_death(Standing standing, std::uint32_t replays) {
  return standing == Standing::kQuarantined || replays >= kMaxReplays ? AfterDeath::kFail : AfterDeath::kReplay;
}

}  // namespace yolod::app
