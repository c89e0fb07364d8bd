// The process that loads a model once and forks the workers that serve it: they share every page that none writes to.
//
//   loader -- fork --> one that ends at once -- fork --> worker
//
// The worker's parent is gone by then, so the front-end becomes it (it is a child subreaper) and reaps it like any
// other. A loader has one thread whenever it forks: a fork copies the calling thread alone.
#pragma once

#include <cstdint>
#include <optional>

#include "common/system/thread_count.hpp"
#include "ipc/fork_command.hpp"

namespace yolod::worker {

enum class LoaderEnd {
  kStopped,   // asked to, or the front-end is gone
  kIsWorker,  // this is a new worker's process: `fork` has its own descriptors, SIGINT is blocked
};

// Forks a worker for each command, on the calling thread, which must be the only one. Returns in the loader at its end,
// and once in each worker. `threads` was made before the process was sealed.
[[nodiscard]] LoaderEnd fork_workers(int control, common::ThreadCounter threads, ipc::LoaderCommand& fork);

}  // namespace yolod::worker
