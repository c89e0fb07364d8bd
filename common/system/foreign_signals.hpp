// Signals that mean nothing to any process of ours, and end or stop one that does nothing about them: they come from an
// operator who signals every process of that name, or took us for another program.
//
// Pure functions; any thread.
#pragma once

#include <signal.h>

#include <csignal>

namespace yolod::common {

// Calls `visit` with each: job control from the keyboard, timers, and what is a user's own. SIGSTOP and SIGKILL cannot
// be ignored; those that tell of a fault are none of these.
template <typename Visit>
void for_each_foreign_signal(Visit&& visit) {
  for (const int signal : {SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGTSTP}) visit(signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) visit(signal);
}

}  // namespace yolod::common
