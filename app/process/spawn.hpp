// Forks this process and executes a program of yolod in the child. The front-end forks nowhere else.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "app/process/child_spec.hpp"
#include "common/config/worker_threads.hpp"
#include "common/outcome.hpp"

namespace yolod::app::process {

struct SpawnSettings {
  // The path of each ChildSpec::program.
  std::map<std::string, std::filesystem::path, std::less<>> programs;
  rlimit open_files{};  // RLIMIT_NOFILE from before the front-end raised it
  // Used if the front-end's own environment does not say how OpenMP's threads wait.
  std::string_view thread_wait = common::kThreadsSleep;
};

// Returns the child's pid. Between fork and exec the child asks the kernel to kill it when the front-end dies
// (PDEATHSIG). It leaves the front-end's process group, so that Ctrl-C reaches only the front-end. It restores
// default signal dispositions and takes the signal mask, the limits, the file descriptors and the variables of
// `spec`. Its standard input is /dev/null. Its standard output and standard error are `descriptors.output`, or else
// the front-end's standard error. If the child fails before exec, it exits with code 127.
//
// Returns kSystem if `settings` has no such program, or if the kernel refuses to fork. Aborts if this process has
// a further thread that may hold locks (common/system/thread_count): the child would inherit locks that no thread of it
// can release. Only the thread of the front-end may call it.
[[nodiscard]] common::Outcome<pid_t> spawn(const SpawnSettings& settings, const ChildSpec& spec,
                                           const InheritedDescriptors& descriptors);

}  // namespace yolod::app::process
