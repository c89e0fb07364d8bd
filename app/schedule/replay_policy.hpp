// What becomes of a request whose worker died: a pure function.
//
// Inference has no side effects, so a replay is safe. A request that was running when its worker died of its own doing
// may be the reason: it gets a strike and one more try, alone; the second strike is answered 500.
#pragma once

#include <cstdint>

#include "app/process/respawn_policy.hpp"

namespace yolod::app {

inline constexpr std::uint32_t kMaxReplays = 8;
inline constexpr std::uint32_t kMaxStrikes = 2;

enum class AfterDeath { kReplay, kFail };

struct ReplayDecision {
  AfterDeath what{AfterDeath::kReplay};
  std::uint32_t strikes{0};
};

[[nodiscard]] constexpr ReplayDecision after_death(DeathCause cause, bool was_running, std::uint32_t strikes,
                                                   std::uint32_t replays) {
  const bool suspect = was_running && cause != DeathCause::kNotItsDoing;
  const std::uint32_t now = strikes + (suspect ? 1 : 0);
  const bool spent = now >= kMaxStrikes || replays >= kMaxReplays;
  return {spent ? AfterDeath::kFail : AfterDeath::kReplay, now};
}

}  // namespace yolod::app
