#include "worker/loader.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "common/system/signal_mask.hpp"
#include "ipc/layout.hpp"

namespace yolod::worker {
namespace {

// Waits until `between` has ended and the front-end is this process's parent. That takes microseconds, because
// `between` exits at once.
void wait_for_front_end(pid_t between, pid_t front_end) {
  constexpr useconds_t kPause = 20;
  while (getppid() == between) usleep(kPause);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // If the front-end died before prctl(), no signal will end this process.
  if (getppid() != front_end) _exit(ipc::kExitStopped);
}

// Returns true in the new worker.
bool fork_worker(pid_t front_end, const common::ThreadCounter& threads) {
  common::reach(common::FaultPoint::kLoaderToldToFork);
  common::require_single_thread(threads);
  const pid_t between = fork();
  if (between < 0) {
    common::log_error("cannot fork a worker: {}", common::last_system_error("fork").message);
    return false;
  }
  if (between > 0) {
    while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
    common::reach(common::FaultPoint::kLoaderForked);
    return false;
  }
  common::reach(common::FaultPoint::kLoaderBetween);
  const pid_t own = getpid();
  if (const pid_t worker = fork(); worker != 0) _exit(worker < 0 ? 1 : 0);
  common::reach(common::FaultPoint::kForkedOrphan);
  wait_for_front_end(own, front_end);
  common::reach(common::FaultPoint::kForkedAdopted);
  setpgid(0, 0);
  return true;
}

}  // namespace

LoaderEnd fork_workers(int control, common::ThreadCounter threads, ipc::LoaderCommand& fork) {
  const pid_t front_end = getppid();
  for (;;) {
    auto command = ipc::wait_for_loader_command(control);
    if (!command || command->command == ipc::Command::kStop) {
      common::reach(common::FaultPoint::kLoaderStopped);
      return LoaderEnd::kStopped;
    }
    if (!ipc::is_fork(command->command)) continue;
    // SIGINT stays blocked in the forked worker until it is ready, as in a worker that loads the model itself.
    common::BlockedSignals interrupt(common::signal_set({SIGINT}));
    if (!fork_worker(front_end, threads)) continue;
    interrupt.keep();
    close(control);
    fork = std::move(*command);
    return LoaderEnd::kIsWorker;
  }
}

}  // namespace yolod::worker
