// Describes which parts of the sandbox are active in a worker or loader. The process reports it when it is ready;
// /status and /metrics show it. The types hold plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace yolod::common {

// The behaviour of a worker if the kernel lacks a part of the sandbox (worker/sandbox).
enum class SandboxMode {
  kAuto,      // it serves with the parts that exist; the log and /status name the missing part
  kRequired,  // it does not serve
  kOff,       // no worker uses the sandbox
  kReport,    // as kAuto; the log names a denied call before the call ends the worker
};

struct SandboxState {
  SandboxMode mode{SandboxMode::kOff};
  std::uint32_t landlock_abi{0};  // the version of the active Landlock; 0: not active
  bool seccomp{false};            // the filter of system calls is active
  std::string missing{};  // why a part is not active, as one line; empty: every part is active, or the mode is off

  friend bool operator==(const SandboxState&, const SandboxState&) = default;
};

// Returns the config's word: "auto", "required", "off", "report".
[[nodiscard]] std::string_view to_string(SandboxMode mode);

}  // namespace yolod::common
