// Decides which requests of a dead worker are blamed for its death. The functions are pure.
//
// A final decision (a strike) depends only on the front-end's own table. The worker's RUNNING marks only decide
// which requests are suspected first. So a compromised worker that writes wrong marks can delay the right
// conclusion, and can make an innocent picture run alone once. It cannot cause the refusal of that picture.
#pragma once

#include <cstdint>
#include <optional>

#include "app/schedule/worker_port.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::schedule {

// Evidence says what is known about one request that a worker held when it died.
struct Evidence {
  bool begun{true};  // false only if the RUNNING mark proves it
  // The phase says how far the worker had got with the request. It is empty if the mark has a value that no correct
  // worker writes.
  std::optional<ipc::WorkPhase> phase{};
  bool alone{false};      // the worker held no other request, by the front-end's table
  bool suspected{false};  // a worker has died with this picture before
};

// A DeathSummary has totals of all requests that the worker had begun when it died.
struct DeathSummary {
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
  kNone,       // the worker had not begun it, or worked on others
  kSuspected,  // it may be the cause; it runs alone next, which shows whether it is
  kStruck,     // it was the only request of its worker
};

// If the worker did not cause its death, no request is blamed. If a request was alone, it is struck. If its mark
// says that the worker had not begun it, it is only suspected the first time, because a compromised worker can write
// such a mark for the picture that caused the death.
//
// Otherwise the requests are suspected that the worker was working on: the request that it decoded, or all requests
// that it computed. If the marks do not tell, all requests that it had begun are suspected.
[[nodiscard]] constexpr Blame blame(WorkerEnd end, const Evidence& evidence, const DeathSummary& summary) {
  if (end == WorkerEnd::kExternal) return Blame::kNone;
  if (evidence.alone) return evidence.begun || evidence.suspected ? Blame::kStruck : Blame::kSuspected;
  if (!evidence.begun) return Blame::kNone;
  const bool marks_tell = !summary.unclear && summary.own_work_count + summary.computing_count != 0;
  if (!marks_tell) return Blame::kSuspected;
  const bool at_work_on_it = evidence.phase == ipc::WorkPhase::kOwnWork || evidence.phase == ipc::WorkPhase::kComputing;
  return at_work_on_it ? Blame::kSuspected : Blame::kNone;
}

}  // namespace yolod::app::schedule
