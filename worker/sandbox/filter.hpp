// The filters of system calls (seccomp) of a loader and of a worker. Filters accumulate, and a forked worker inherits
// its loader's filter; therefore a loader may call everything that a worker may call.
//
// A stopped call raises SIGSYS (worker/sandbox/denied_call.hpp). The kernel itself answers a few calls: clone3 with
// ENOSYS, so that the C library creates threads by clone, whose flags a filter can check; TCGETS with ENOTTY; a
// worker's F_SETFL with EACCES. Calls that bind threads or memory to a part of the machine report success without
// effect.
//
// A build with sanitizers or gcov uses a list of denied calls instead of a list of allowed calls, because their
// runtimes make calls that we cannot foresee.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::worker {

#if defined(YOLOD_INSTRUMENTED)
inline constexpr bool kInstrumented = true;
#else
inline constexpr bool kInstrumented = false;
#endif

enum class FilterKind { kLoader, kWorker };

struct FilterSettings {
  FilterKind kind{FilterKind::kWorker};
  pid_t own_pid{0};    // a worker may signal only itself
  pid_t front_end{0};  // a loader may signal every process except this; Landlock protects the others
  bool for_fault_points{
      false};  // tests kill this process at a fault point (common/fault_point.hpp): allow the calls for that
};

// Denies the calls that no model needs, not even during the load: the network, other programs and processes,
// namespaces, and rarely used parts of the kernel. Such a call fails with EACCES. The filter applies to the whole
// process and cannot be removed. REQUIRES: no_new_privs.
[[nodiscard]] common::Outcome<void> apply_load_filter();

// Installs the filter in every thread of this process; it cannot be removed. An Error names in one line the step that
// the kernel refused. REQUIRES: no_new_privs, and an earlier call of catch_denied_calls().
[[nodiscard]] common::Outcome<void> apply_filter(const FilterSettings& settings);

}  // namespace yolod::worker
