// Forks this process and executes yolod-worker in the child: the only fork of the front-end.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "common/config/worker_threads.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

// The descriptors that the new process inherits, as numbers in this one; they stay ours. A loader has neither lane nor
// doorbell: its workers have.
struct InheritedDescriptors {
  int output{-1};  // for 1 and 2; without it the process has those of this one
  int control{-1};
  int lane{-1};
  int arena{-1};
  int doorbell{-1};
  int config{-1};
};

// What yolod-worker is to be.
enum class WorkerRole { kWorker, kLoader, kBackgroundLoader };

struct SpawnSettings {
  std::filesystem::path worker_program;
  rlimit open_files{};                                   // RLIMIT_NOFILE as it was before the front-end raised its own
  std::string_view thread_wait = common::kThreadsSleep;  // unless our own environment says how OpenMP's threads wait
};

// The child's pid. Between fork and exec the child: dies with this process (PDEATHSIG), leaves its process group (so
// that Ctrl-C reaches the front-end alone), has default dispositions, mask = {SIGINT}, the descriptors at their fixed
// numbers and no others: standard input is /dev/null, standard output is our standard error. Of our environment it gets
// what libraries need, and no more. Aborts if this process has more than one thread: a fork would copy locks it cannot
// free.
[[nodiscard]] common::Outcome<pid_t> spawn_worker(const SpawnSettings& settings, WorkerRole role,
                                                  const InheritedDescriptors& descriptors);

}  // namespace yolod::app::process
