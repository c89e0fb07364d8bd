#include "app/process/spawn.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/fault_point.hpp"
#include "common/system/signal_mask.hpp"
#include "common/system/thread_count.hpp"
#include "ipc/layout.hpp"

extern char** environ;

namespace yolod::app::process {
namespace {

using common::Outcome;
using common::UniqueFd;

constexpr int kExecFailed = 127;

struct Move {
  int from;
  int to;
};

// In the child. First everything is moved out of the way of the fixed numbers, then into place: a descriptor may
// already have another's number.
bool place_descriptors(const InheritedDescriptors& ours) {
  if (ours.output >= 0 && (dup2(ours.output, STDOUT_FILENO) < 0 || dup2(ours.output, STDERR_FILENO) < 0)) return false;
  std::array<Move, 5> moves{{{ours.control, ipc::kControlDescriptor},
                             {ours.lane, ipc::kLaneDescriptor},
                             {ours.arena, ipc::kArenaDescriptor},
                             {ours.doorbell, ipc::kDoorbellDescriptor},
                             {ours.config, ipc::kConfigDescriptor}}};
  for (Move& move : moves) {
    if (move.from < 0) continue;
    move.from = fcntl(move.from, F_DUPFD_CLOEXEC, ipc::kFirstUnusedDescriptor);
    if (move.from < 0) return false;
  }
  for (const Move& move : moves) {
    if (move.from < 0) {
      close(move.to);  // something of ours may have that number
    } else if (dup2(move.from, move.to) < 0) {
      return false;
    }
  }
  if (close_range(ipc::kFirstUnusedDescriptor, ~0U, 0) != 0) return false;
  return dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
}

// Our own standard input may be a terminal, or a file that is none of a worker's business. In the child.
bool take_away_standard_input() {
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0) return false;
  const bool placed = nothing == STDIN_FILENO || dup2(nothing, STDIN_FILENO) >= 0;
  if (nothing != STDIN_FILENO) close(nothing);
  return placed;
}

[[noreturn]] void become_worker(const SpawnSettings& settings, const InheritedDescriptors& descriptors, pid_t front_end,
                                char* const* arguments, char* const* environment) {
  common::reach(common::FaultPoint::kSpawnedUntied);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // If it died before the line above, nobody will tell us.
  if (getppid() != front_end) _exit(ipc::kExitStopped);
  setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  if (!place_descriptors(descriptors) || !take_away_standard_input()) _exit(kExecFailed);
  // Lowered last: until the front-end's own descriptors were closed there may have been more of them than this allows.
  setrlimit(RLIMIT_NOFILE, &settings.open_files);
  const sigset_t mask = common::signal_set({SIGINT});
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  common::reach(common::FaultPoint::kSpawnedAboutToExec);
  execve(settings.worker_program.c_str(), arguments, environment);
  _exit(kExecFailed);
}

// What a worker is given of our environment: how libraries find each other, compute and wait. All else stays here,
// since a service's environment may hold secrets. A name that ends in '_' stands for every name that begins so.
constexpr std::array<std::string_view, 31> kPassedOn{"PATH",
                                                     "HOME",
                                                     "LANG",
                                                     "LC_",
                                                     "TZ",
                                                     "LD_LIBRARY_PATH",
                                                     "LD_PRELOAD",
                                                     "MALLOC_",
                                                     "GLIBC_TUNABLES",
                                                     "OMP_",
                                                     "GOMP_",
                                                     "OPENBLAS_",
                                                     "MKL_",
                                                     "KMP_",
                                                     "BLIS_",
                                                     "DNNL_",
                                                     "ONEDNN_",
                                                     "ATEN_",
                                                     "TORCH_",
                                                     "PYTORCH_",
                                                     "CUDA_",
                                                     "CUDNN_",
                                                     "CUBLAS_",
                                                     "NVIDIA_",
                                                     "ASAN_OPTIONS",
                                                     "LSAN_OPTIONS",
                                                     "TSAN_OPTIONS",
                                                     "UBSAN_OPTIONS",
                                                     "GCOV_",
                                                     "YOLOD_FAULT_POINT",
                                                     "YOLOD_FAULT_TOKEN"};

bool is_passed_on(std::string_view variable) {
  const auto name = variable.substr(0, variable.find('='));
  return std::any_of(kPassedOn.begin(), kPassedOn.end(), [name](std::string_view known) {
    return known.ends_with('_') ? name.starts_with(known) : name == known;
  });
}

// That, and what libraries read before main:
//   OPENBLAS_NUM_THREADS=1     libopenblas starts its pool when it is loaded, one thread a core
//   GDAL_DRIVER_PATH=disable   GDAL, where OpenCV brings it along, loads no plugins from folders
//   how OpenMP's threads wait, unless whoever started us has said so
std::vector<std::string> worker_environment(std::string_view thread_wait) {
  constexpr std::string_view kOpenBlas = "OPENBLAS_NUM_THREADS=";
  const bool said = std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (is_passed_on(variable) && !variable.starts_with(kOpenBlas)) variables.emplace_back(variable);
  }
  variables.push_back(std::string(kOpenBlas) + '1');
  variables.emplace_back("GDAL_DRIVER_PATH=disable");
  if (!said) variables.emplace_back(thread_wait);
  return variables;
}

}  // namespace

Outcome<pid_t> spawn_worker(const SpawnSettings& settings, WorkerRole role, const InheritedDescriptors& descriptors) {
  common::require_single_thread();
  // Built before the fork: the child only makes system calls.
  std::string program_name = "yolod-worker";
  std::string loader(ipc::kLoaderArgument);
  std::string background(ipc::kBackgroundArgument);
  std::array<char*, 4> arguments{program_name.data(), nullptr, nullptr, nullptr};
  if (role != WorkerRole::kWorker) arguments[1] = loader.data();
  if (role == WorkerRole::kBackgroundLoader) arguments[2] = background.data();
  std::vector<std::string> variables = worker_environment(settings.thread_wait);
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  const pid_t front_end = getpid();
  const pid_t child = fork();
  if (child < 0) return common::last_system_error("fork");
  if (child == 0) become_worker(settings, descriptors, front_end, arguments.data(), environment.data());
  // Also here, so that it is in its own group whichever of the two runs first. Fails once it has exec'd; then it did.
  setpgid(child, child);
  common::reach(common::FaultPoint::kFrontEndSpawned);
  return child;
}

}  // namespace yolod::app::process
