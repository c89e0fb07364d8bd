// Signals that have no meaning for any yolod process, but end or stop a process that does not handle them. They come
// from an operator who signals all processes of a name, or who mistakes the process for another program.
//
// Pure functions; any thread may call them.
#pragma once

#include <signal.h>

#include <csignal>

namespace yolod::common {

// Calls `visit` with each signal: job control from the keyboard, timers, and the user-defined signals. SIGSTOP and
// SIGKILL cannot be ignored, and signals that report a fault are not included.
template <typename Visit>
void for_each_foreign_signal(Visit&& visit) {
  for (const int signal : {SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGTSTP}) visit(signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) visit(signal);
}

}  // namespace yolod::common
