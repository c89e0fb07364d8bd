// The named steps of the protocol between front-end and workers, and of a change in yolod-accounts. A test can kill a
// process at such a step, to check that the others recover. Shipped builds do not contain them (YOLOD_FAULT_POINTS).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace yolod::common {

enum class FaultPoint {
  kModelLoaded,
  kWorkerSaidHello,
  kWorkerLoaded,
  kWorkerDescribed,
  kWorkerSaidReady,
  kWorkerTookBatch,
  kWorkerMarkedRunning,
  kWorkerRan,
  kWorkerEncoded,
  kWorkerPushed,
  kWorkerPublished,
  kWorkerRang,
  kWorkerStopped,
  kLaneOpened,
  kLoaderSaidReady,
  kLoaderToldToFork,
  kLoaderBetween,
  kLoaderForked,
  kLoaderStopped,
  kForkedOrphan,
  kForkedAdopted,
  kSpawnedUntied,
  kSpawnedAboutToExec,
  kFrontEndMadeLane,
  kFrontEndSpawned,
  kFrontEndAskedForFork,
  kFrontEndHeardReady,
  kFrontEndReadSome,
  kFrontEndPushed,
  kFrontEndPublished,
  kFrontEndWoke,
  kFrontEndTook,
  kFrontEndWroteHeader,
  kFrontEndAnswered,
  kFrontEndReaped,
  kFrontEndReplays,
  kFrontEndFoundHung,
  kFrontEndReadConfig,
  kFrontEndSwapped,
  kFrontEndLetGo,
  kFrontEndRecycles,
  kFrontEndRecycled,
  kFrontEndStoppedAccepting,
  kFrontEndAskedToStop,
  kFrontEndStopped,
  kAccountsMigrated,
  kAccountsAboutToWrite,
  kAccountsWrote,
  kAccountsCommitted,
  kAccountsAboutToAnswer,
};

inline constexpr std::array<std::string_view, 50> kFaultPointNames{
    "loading: made its model, not warm yet",
    "worker: said hello",
    "worker: loaded",
    "worker: described, not ready yet",
    "worker: said ready",
    "worker: took a batch",
    "worker: marked a request as running",
    "worker: ran the batch",
    "worker: encoded an answer",
    "worker: pushed a completion",
    "worker: published its completions",
    "worker: rang",
    "worker: told to stop, and done",
    "worker: opened its lane",
    "loader: said ready",
    "loader: told to fork",
    "loader: in the process between",
    "loader: forked",
    "loader: told to stop",
    "forked worker: not the front-end's child yet",
    "forked worker: the front-end's child",
    "spawned: not tied to the front-end's life yet",
    "spawned: about to execute",
    "front-end: made a lane",
    "front-end: spawned",
    "front-end: asked for a fork",
    "front-end: heard that a worker is ready",
    "front-end: read some of a body",
    "front-end: pushed a request",
    "front-end: published a batch",
    "front-end: woke a worker",
    "front-end: took a completion",
    "front-end: wrote the header of an answer",
    "front-end: wrote an answer",
    "front-end: reaped",
    "front-end: is about to replay",
    "front-end: found that a worker hangs",
    "front-end: read the config again",
    "front-end: swapped generations",
    "front-end: let a generation go",
    "front-end: started a successor",
    "front-end: let a recycled worker leave",
    "front-end: stopped accepting",
    "front-end: asked all to stop",
    "front-end: stopped",
    "accounts: migrated, not committed yet",
    "accounts: about to write",
    "accounts: wrote, not committed yet",
    "accounts: committed",
    "accounts: about to answer",
};

// Kills this process with SIGKILL if the environment has YOLOD_FAULT_POINT=NAME and YOLOD_FAULT_TOKEN=FILE, and FILE
// exists. It first deletes FILE and writes this process's id to FILE.victim. Because FILE is deleted, only one
// process dies, once. Any thread may call it, also between fork and exec. is_doomed_at() returns whether reach()
// would kill the process, so that a test build can insert a step that shipped builds do not have.
#if defined(YOLOD_FAULT_POINTS)
void reach(FaultPoint point);
[[nodiscard]] bool is_doomed_at(FaultPoint point);
// Returns the folder of FILE if the environment names a step. reach() deletes FILE and writes FILE.victim there.
[[nodiscard]] std::optional<std::string> fault_token_folder();
#else
inline void reach(FaultPoint /*point*/) {}
[[nodiscard]] constexpr bool is_doomed_at(FaultPoint /*point*/) { return false; }
[[nodiscard]] inline std::optional<std::string> fault_token_folder() { return std::nullopt; }
#endif

}  // namespace yolod::common
