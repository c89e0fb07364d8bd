// Decides what happens to a request whose worker died. The functions are pure.
//
// Inference has no side effects, so a replay is safe. blame.hpp decides which requests are blamed. A suspect that
// was alone when its worker died again is quarantined and answered with 500.
#pragma once

#include <cstdint>

#include "app/schedule/quarantine.hpp"

namespace yolod::app::schedule {

inline constexpr std::uint32_t kMaxReplays = 8;
// A request that was replayed this often gets a batch and a worker for itself. Otherwise other requests of its
// batches that kill workers could use up its replays or its time.
inline constexpr std::uint32_t kMaxSharedReplays = 2;

enum class AfterDeath { kReplay, kFail };

[[nodiscard]] constexpr bool may_share_batch(std::uint32_t replays) { return replays < kMaxSharedReplays; }

// `standing` is the body's standing after this death.
[[nodiscard]] constexpr AfterDeath after_death(Standing standing, std::uint32_t replays) {
  return standing == Standing::kQuarantined || replays >= kMaxReplays ? AfterDeath::kFail : AfterDeath::kReplay;
}

}  // namespace yolod::app::schedule
