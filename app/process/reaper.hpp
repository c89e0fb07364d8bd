// The one place that waits for children.
#pragma once

#include <sys/types.h>

#include <functional>

#include "app/process/respawn_policy.hpp"

namespace yolod::app::process {

// Reaps every child that has ended, telling each. SIGCHLD coalesces, so this goes on until there is none left.
// As PID 1 of a container it also reaps strangers. Returns whether any child is still alive.
bool reap_children(const std::function<void(pid_t, const Death&)>& each);

// Whether that is a child of ours that nobody has reaped; does not reap it.
[[nodiscard]] bool is_child(pid_t pid);
// Whether that is a child of ours that a signal has stopped (SIGSTOP).
[[nodiscard]] bool is_stopped(pid_t pid);

}  // namespace yolod::app::process
