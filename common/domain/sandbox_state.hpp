// How much of its sandbox a worker or a loader has in force: the process says it when it is ready, /status and /metrics
// show it. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace yolod::common {

// What becomes of a worker where the kernel does not offer what seals it (worker/sandbox).
enum class SandboxMode {
  kAuto,      // it serves with what there is, and the log and /status say so
  kRequired,  // it does not serve
  kOff,       // it is never sealed
  kReport,    // as kAuto; a call that is denied is named in the log before it ends the worker
};

struct SandboxState {
  SandboxMode mode{SandboxMode::kOff};
  std::uint32_t landlock_abi{0};  // the version of Landlock in force; 0: none is
  bool seccomp{false};            // the filter of system calls is in force
  std::string missing{};          // why a part is not in force, as one line; empty: every part is, or the mode is off

  friend bool operator==(const SandboxState&, const SandboxState&) = default;
};

// The word of the config: "auto", "required", "off", "report".
[[nodiscard]] std::string_view to_string(SandboxMode mode);

}  // namespace yolod::common
