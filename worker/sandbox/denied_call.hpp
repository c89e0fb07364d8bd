// Handles a system call that the filter (worker/sandbox/filter.hpp) stops. The kernel does not execute the call and
// sends SIGSYS. This handler reports the call to the front-end, and then lets the call fail or ends the process.
//
// The handler only improves the log; security does not depend on it. Code that has taken over the process may patch
// the handler or change the registers that it returns, but the kernel has not executed the call and will not execute
// it.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"

namespace yolod::worker {

// Returns true for calls that look for a file. These fail with EACCES, because a library may look for a file that it
// does not need.
[[nodiscard]] bool denied_call_fails_softly(int call);

struct DenialSettings {
  int control{-1};             // the channel that carries the report to the front-end
  std::uint64_t launch_id{0};  // of this process's milestones
  bool report{false};          // sandbox: report, which also writes each denied call to stderr
};

// Installs the handler, once for a process and the processes that it forks; later calls only change the settings.
// Call it before the filter is active, because the filter denies a change of SIGSYS's handler.
[[nodiscard]] common::Outcome<void> catch_denied_calls(const DenialSettings& settings);

}  // namespace yolod::worker
