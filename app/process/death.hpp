// Describes how a child process ended, and classifies the cause. Plain values: any thread may use them.
#pragma once

#include <string>

namespace yolod::app::process {

enum class DeathCause {
  kOwnFault,  // the process crashed, or it exited although it had work
  kExternal,  // another process ended it
  kBadModel,  // its model cannot be served
};

// The end of a process, as waitpid() reports it.
struct Death {
  bool signaled{false};
  int number{0};  // the signal, or the exit code
  // The front-end never learned the pid of this worker: the fork failed, or the worker ended before its hello was
  // read.
  bool unseen{false};
  bool out_of_memory{false};  // the kernel's OOM killer sent SIGKILL
  std::string denied_call{};  // for SIGSYS: the system call that the sandbox denied, if known

  [[nodiscard]] static Death before_hello() { return {false, 0, true, false}; }

  [[nodiscard]] static Death from_wait_status(int status);
};

// Returns a description for the log, such as "SIGSEGV", "exit code 1" or "interrupted while loading (SIGINT), model
// freed".
[[nodiscard]] std::string describe(const Death& death);
// Returns a short word for a metric's label: "SIGSEGV", "exit", "interrupted", "bad_model" or "device_lost".
[[nodiscard]] std::string reason_label(const Death& death);

// Classifies the death of a worker or a loader (ChildSpec::classify). `was_ready`: the process was ready before. The
// supervisor does not ask this for a process that it killed for a fault: such a death is always the process's own
// doing.
[[nodiscard]] DeathCause classify(const Death& death, bool was_ready);

// These functions are for yolod-accounts, whose exit codes differ (app/accounts/protocol/settings.hpp).
[[nodiscard]] std::string describe_accounts(const Death& death);
[[nodiscard]] DeathCause classify_accounts(const Death& death, bool was_ready);

}  // namespace yolod::app::process
