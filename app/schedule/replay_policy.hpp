// What becomes of a request whose worker died: pure functions.
//
// Inference has no side effects, so a replay is safe. Whom the death is held against is blame.hpp's; who dies alone as
// a suspect is quarantined, and answered 500.
#pragma once

#include <cstdint>

#include "app/schedule/quarantine.hpp"

namespace yolod::app::schedule {

inline constexpr std::uint32_t kMaxReplays = 8;
// After so many it has a batch and a worker to itself: neighbours that have their worker killed again and again must
// not use up its replays, or its time.
inline constexpr std::uint32_t kReplaysInCompany = 2;

enum class AfterDeath { kReplay, kFail };

[[nodiscard]] constexpr bool may_have_company(std::uint32_t replays) { return replays < kReplaysInCompany; }

// `standing` of its body, after this death.
[[nodiscard]] constexpr AfterDeath after_death(Standing standing, std::uint32_t replays) {
  return standing == Standing::kQuarantined || replays >= kMaxReplays ? AfterDeath::kFail : AfterDeath::kReplay;
}

}  // namespace yolod::app::schedule
