// Forks this process and executes a program of ours in the child: the only fork of the front-end.
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
  std::map<std::string, std::filesystem::path, std::less<>> programs;  // where each ChildSpec::program is
  rlimit open_files{};                                   // RLIMIT_NOFILE as it was before the front-end raised its own
  std::string_view thread_wait = common::kThreadsSleep;  // unless our own environment says how OpenMP's threads wait
};

// The child's pid. Between fork and exec the child: dies with this process (PDEATHSIG), leaves its process group (so
// that Ctrl-C reaches the front-end alone), has default dispositions, and gets what `spec` says: mask, limits,
// descriptors at their numbers and no others, variables. Its standard input is /dev/null, its standard output our
// standard error or `descriptors.output`. A child that cannot be made ready exits with 127.
//
// kSystem where there is no such program among the settings', or the kernel refuses to fork. Aborts if this process has
// more than one thread: a fork would copy locks it cannot free.
[[nodiscard]] common::Outcome<pid_t> spawn(const SpawnSettings& settings, const ChildSpec& spec,
                                           const InheritedDescriptors& descriptors);

}  // namespace yolod::app::process
