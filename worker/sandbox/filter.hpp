// The filter of system calls (seccomp) of a loader and of a worker. Filters add up, and a forked worker inherits its
// loader's: whatever a worker may call, its loader may call too.
//
// Stopped calls raise SIGSYS (worker/sandbox/denied_call.hpp). A few are answered by the kernel itself: clone3 with
// ENOSYS, so that the C library makes threads by clone, whose flags a filter can see; TCGETS with ENOTTY; a worker's
// F_SETFL with EACCES; and what binds threads or memory to a part of the machine as if it had been done.
//
// A build with sanitizers or gcov has a list of denied calls instead of a list of allowed ones: their runtimes call
// what we cannot foresee.
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
  pid_t own_pid{0};    // a worker signals no other process
  pid_t front_end{0};  // a loader signals any process but this one; Landlock keeps it from the rest
  bool for_fault_points{
      false};  // tests kill this process at a step: it may do what that takes (common/fault_point.hpp)
};

// Denies what no model needs, while it is loaded neither: the network, other programs and processes, namespaces, and
// what of the kernel is seldom used. Such a call fails with EACCES. For the whole process, for good. REQUIRES:
// no_new_privs.
[[nodiscard]] common::Outcome<void> apply_load_filter();

// Puts it in force in every thread of this process, for good. An Error says in one line what the kernel refused.
// REQUIRES: no_new_privs, and that catch_denied_calls() was called.
[[nodiscard]] common::Outcome<void> apply_filter(const FilterSettings& settings);

}  // namespace yolod::worker
