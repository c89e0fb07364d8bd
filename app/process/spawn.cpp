#include "app/process/spawn.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/fault_point.hpp"
#include "common/system/thread_count.hpp"
#include "ipc/layout.hpp"

extern char** environ;

namespace yolod::app::process {
namespace {

using common::Outcome;

constexpr int kExecFailed = 127;

// Runs in the child. The first loop moves each descriptor above the fixed numbers, and the last loop moves it to its
// number: before that, one descriptor may have the number that another needs.
bool place_descriptors(const ChildSpec& spec, const InheritedDescriptors& ours) {
  if (ours.output >= 0 && (dup2(ours.output, STDOUT_FILENO) < 0 || dup2(ours.output, STDERR_FILENO) < 0)) return false;
  int first_unused = STDERR_FILENO + 1;
  for (const DescriptorPlace& place : spec.descriptors) first_unused = std::max(first_unused, place.to + 1);
  std::array<int, ChildSpec::kMostDescriptors> moved{};
  for (std::size_t i = 0; i < spec.descriptors.size(); ++i) {
    moved[i] = fcntl(ours.*spec.descriptors[i].from, F_DUPFD_CLOEXEC, first_unused);
    if (moved[i] < 0) return false;
  }
  // a descriptor of the front-end may have this number
  for (int number = STDERR_FILENO + 1; number < first_unused; ++number) close(number);
  for (std::size_t i = 0; i < spec.descriptors.size(); ++i) {
    if (dup2(moved[i], spec.descriptors[i].to) < 0) return false;
  }
  if (close_range(static_cast<unsigned>(first_unused), ~0U, 0) != 0) return false;
  return dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
}

// Runs in the child. The front-end's own standard input may be a terminal, or a file that the child must not read.
bool take_away_standard_input() {
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0) return false;
  const bool placed = nothing == STDIN_FILENO || dup2(nothing, STDIN_FILENO) >= 0;
  if (nothing != STDIN_FILENO) close(nothing);
  return placed;
}

void set_limits(const ChildLimits& limits, const rlimit& given_open_files) {
  if (limits.given_open_files) setrlimit(RLIMIT_NOFILE, &given_open_files);
  if (limits.core_dumps) return;
  const rlimit none{};
  setrlimit(RLIMIT_CORE, &none);
}

// The child may only make system calls between fork and exec. Therefore the front-end prepares this data before the
// fork.
struct ChildPlan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  sigset_t mask;
  pid_t front_end;
};

[[noreturn]] void become_child(const ChildPlan& plan, const ChildSpec& spec, const rlimit& given_open_files,
                               const InheritedDescriptors& descriptors) {
  common::reach(common::FaultPoint::kSpawnedUntied);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // If the front-end died before prctl(), the kernel sends no signal.
  if (getppid() != plan.front_end) _exit(ipc::kExitStopped);
  setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  if (!place_descriptors(spec, descriptors) || !take_away_standard_input()) _exit(kExecFailed);
  // Lower the limits last: before close_range() the process may have more descriptors open than the limit allows.
  set_limits(spec.limits, given_open_files);
  sigprocmask(SIG_SETMASK, &plan.mask, nullptr);
  common::reach(common::FaultPoint::kSpawnedAboutToExec);
  execve(plan.program, plan.arguments, plan.environment);
  _exit(kExecFailed);
}

bool is_passed_on(std::string_view variable, std::span<const std::string_view> known) {
  const auto name = variable.substr(0, variable.find('='));
  return std::any_of(known.begin(), known.end(),
                     [name](std::string_view one) { return one.ends_with('_') ? name.starts_with(one) : name == one; });
}

// Returns the variables of the front-end's environment that this kind of child gets. If the libraries of the child
// compute, it also gets variables that they read before main:
//   OPENBLAS_NUM_THREADS=1     libopenblas otherwise starts one thread for each core when it is loaded
//   GDAL_DRIVER_PATH=disable   GDAL, where OpenCV depends on it, then loads no plugins from folders
//   thread_wait                how OpenMP's threads wait, unless the front-end's own environment says it
std::vector<std::string> environment_of(const ChildSpec& spec, std::string_view thread_wait) {
  constexpr std::string_view kOpenBlas = "OPENBLAS_NUM_THREADS=";
  const bool said = std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (!is_passed_on(variable, spec.variables) || (spec.computes && variable.starts_with(kOpenBlas))) continue;
    variables.emplace_back(variable);
  }
  if (!spec.computes) return variables;
  variables.push_back(std::string(kOpenBlas) + '1');
  variables.emplace_back("GDAL_DRIVER_PATH=disable");
  if (!said) variables.emplace_back(thread_wait);
  return variables;
}

// Returns the null-terminated array that execve() takes.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Outcome<pid_t> spawn(const SpawnSettings& settings, const ChildSpec& spec, const InheritedDescriptors& descriptors) {
  common::require_single_thread();
  const auto program = settings.programs.find(spec.program);
  if (program == settings.programs.end()) {
    return common::Error{common::ErrorCode::kSystem, "the path of " + std::string(spec.program) + " is not known"};
  }
  std::vector<std::string> argument_texts{std::string(spec.program)};
  argument_texts.insert(argument_texts.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> variables = environment_of(spec, settings.thread_wait);
  const auto arguments = pointers_to(argument_texts);
  const auto environment = pointers_to(variables);
  ChildPlan plan{program->second.c_str(), arguments.data(), environment.data(), {}, getpid()};
  sigemptyset(&plan.mask);
  for (const int signal : spec.blocked_signals) sigaddset(&plan.mask, signal);

  const pid_t child = fork();
  if (child < 0) return common::last_system_error("fork");
  if (child == 0) become_child(plan, spec, settings.open_files, descriptors);
  // The parent calls setpgid() too, so that the child is in its own group whichever process runs first. The call
  // fails after the child has called exec, but then the child has already done it.
  setpgid(child, child);
  common::reach(common::FaultPoint::kFrontEndSpawned);
  return child;
}

}  // namespace yolod::app::process
