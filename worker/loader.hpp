// The loader process loads a model once and forks the workers that serve it. The processes share every page that none
// of them writes.
//
//   loader -- fork --> process that ends at once -- fork --> worker
//
// The worker's parent has ended by then, so the front-end (a child subreaper) becomes its parent and reaps it like
// every other worker. A loader has one thread whenever it forks, because fork() copies the calling thread only.
#pragma once

#include <cstdint>
#include <optional>

#include "common/system/thread_count.hpp"
#include "ipc/fork_command.hpp"

namespace yolod::worker {

enum class LoaderEnd {
  kStopped,   // the front-end sent kStop or is gone
  kIsWorker,  // this process is a new worker: `fork` has its descriptors, and SIGINT is blocked
};

// Forks a worker for each command, on the calling thread, which must be the process's only thread. Returns once in
// the loader, at its end, and once in each worker. The caller makes `threads` before it seals the process.
[[nodiscard]] LoaderEnd fork_workers(int control, common::ThreadCounter threads, ipc::LoaderCommand& fork);

}  // namespace yolod::worker
