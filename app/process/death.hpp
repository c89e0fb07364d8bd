// How a process of ours ended, and whose doing that was. Plain values: any thread.
#pragma once

#include <string>

namespace yolod::app::process {

enum class DeathCause { kOwnDoing, kNotItsDoing, kBadModel };

// How a process ended, as waitpid() tells it.
struct Death {
  bool signaled{false};
  int number{0};              // the signal, or the exit code
  bool unseen{false};         // it was forked, or was to be, and ended before we knew of it
  bool out_of_memory{false};  // the kernel's SIGKILL
  std::string denied_call{};  // of a SIGSYS: the system call that its sandbox denied, where it is known

  [[nodiscard]] static Death before_hello() { return {false, 0, true, false}; }

  [[nodiscard]] static Death from_wait_status(int status);
};

// "SIGSEGV", "exit code 1", "interrupted while loading": for the log and for metrics.
[[nodiscard]] std::string describe(const Death& death);
// A short word for a metric's label: "SIGSEGV", "exit", "interrupted", "bad_model", "device_lost".
[[nodiscard]] std::string reason_label(const Death& death);

// Of a worker or a loader (ChildSpec::classify). `was_ready`: it had served, or could have. (A worker that we killed
// for what it did died of its own doing, whatever this says: the supervisor knows.)
[[nodiscard]] DeathCause classify(const Death& death, bool was_ready);

}  // namespace yolod::app::process
