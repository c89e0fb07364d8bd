// Named steps of the protocol between front-end and workers, at which a test can have a process killed: what if it dies
// here? Compiled out of what is shipped (YOLOD_FAULT_POINTS).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace yolod::common {

enum class FaultPoint {
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
  kLaneOpened,
  kLoaderSaidReady,
  kLoaderToldToFork,
  kLoaderBetween,
  kLoaderForked,
  kForkedOrphan,
  kForkedAdopted,
  kFrontEndMadeLane,
  kFrontEndSpawned,
  kFrontEndAskedForFork,
  kFrontEndHeardReady,
  kFrontEndPushed,
  kFrontEndPublished,
  kFrontEndWoke,
  kFrontEndTook,
  kFrontEndReaped,
  kFrontEndReplays,
  kFrontEndSwapped,
  kFrontEndLetGo,
};

inline constexpr std::array<std::string_view, 30> kFaultPointNames{
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
    "worker: opened its lane",
    "loader: said ready",
    "loader: told to fork",
    "loader: in the process between",
    "loader: forked",
    "forked worker: not the front-end's child yet",
    "forked worker: the front-end's child",
    "front-end: made a lane",
    "front-end: spawned",
    "front-end: asked for a fork",
    "front-end: heard that a worker is ready",
    "front-end: pushed a request",
    "front-end: published a batch",
    "front-end: woke a worker",
    "front-end: took a completion",
    "front-end: reaped",
    "front-end: is about to replay",
    "front-end: swapped generations",
    "front-end: let a generation go",
};

// Where the environment says YOLOD_FAULT_POINT=NAME, and YOLOD_FAULT_TOKEN=FILE is there: takes the file away and kills
// this process with SIGKILL. So of all processes that come by one dies, once. Any thread.
#if defined(YOLOD_FAULT_POINTS)
void reach(FaultPoint point);
#else
inline void reach(FaultPoint /*point*/) {}
#endif

}  // namespace yolod::common
