// Which of a dead worker's requests its death is held against: pure functions.
//
// The front-end trusts its own table for what it decides finally (a strike), and the worker's RUNNING marks only for
// whom to suspect first. So a worker that was taken over and lies in its marks can delay the right conclusion, and can
// have an innocent picture run alone once; it cannot have that picture refused.
#pragma once

#include <cstdint>
#include <optional>

#include "app/schedule/worker_port.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::schedule {

// What is known of one request that a worker had when it died.
struct Evidence {
  bool begun{true};  // false only where the RUNNING mark proves it
  // How far the worker was with it. Nothing: the mark is not one that a sane worker writes.
  std::optional<ipc::WorkPhase> phase{};
  bool alone{false};      // by the front-end's table: the worker had no other request
  bool suspected{false};  // a worker has died with this picture before
};

// Of all requests that a worker had begun when it died.
struct DeathScene {
  std::uint32_t own_work_count{0};
  std::uint32_t computing_count{0};
  bool unclear{false};

  constexpr void add(const Evidence& evidence) {
    if (!evidence.begun) return;
    unclear = unclear || !evidence.phase;
    if (evidence.phase == ipc::WorkPhase::kOwnWork) ++own_work_count;
    if (evidence.phase == ipc::WorkPhase::kComputing) ++computing_count;
  }
};

enum class Blame {
  kNone,       // it was not begun, or the worker was at work on others
  kSuspected,  // it may be the reason: it runs alone next, which will tell
  kStruck,     // it was alone with its worker
};

// A death that was not the worker's own doing is nobody's. A request that was alone is struck. If its mark says that it
// was not begun, it is suspected the first time: a worker that was taken over may say so of the picture that did it.
// Else those are suspected that the worker was at work on: the one that was decoded, or all that were computed; and all
// that had begun where the marks do not tell.
[[nodiscard]] constexpr Blame blame(WorkerEnd end, const Evidence& evidence, const DeathScene& scene) {
  if (end == WorkerEnd::kNotItsDoing) return Blame::kNone;
  if (evidence.alone) return evidence.begun || evidence.suspected ? Blame::kStruck : Blame::kSuspected;
  if (!evidence.begun) return Blame::kNone;
  const bool marks_tell = !scene.unclear && scene.own_work_count + scene.computing_count != 0;
  if (!marks_tell) return Blame::kSuspected;
  const bool at_work_on_it = evidence.phase == ipc::WorkPhase::kOwnWork || evidence.phase == ipc::WorkPhase::kComputing;
  return at_work_on_it ? Blame::kSuspected : Blame::kNone;
}

}  // namespace yolod::app::schedule
