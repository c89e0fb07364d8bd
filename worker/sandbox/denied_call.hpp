// What becomes of a system call that the filter (worker/sandbox/filter.hpp) stops: the kernel does not execute it and
// sends SIGSYS; this handler names the call to the front-end and lets the call fail or ends the process.
//
// The handler is a convenience for whoever reads the log. Nothing depends on it: code that has taken over the process
// may patch it or change the registers that it returns, but the call has not been executed and will not be.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"

namespace yolod::worker {

// The calls that look for files. A library may look for one that it can do without, so these return EACCES.
[[nodiscard]] bool denied_call_fails_softly(int call);

struct DenialSettings {
  int control{-1};             // the channel on which the front-end is told
  std::uint64_t launch_id{0};  // of the process's milestones
  bool report{false};          // also writes each denied call to stderr: sandbox: report
};

// Installs the handler, once in a process and the processes forked from it; afterwards only the settings change.
// Before the filter is in force: it denies a change of SIGSYS's handler.
[[nodiscard]] common::Outcome<void> catch_denied_calls(const DenialSettings& settings);

}  // namespace yolod::worker
