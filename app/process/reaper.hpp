// The only functions of the front-end that wait for children. Only the thread of the front-end may call them.
#pragma once

#include <sys/types.h>

#include <functional>

#include "app/process/respawn_policy.hpp"

namespace yolod::app::process {

// Reaps every child that has ended, and calls `each` for it. The kernel may merge several SIGCHLD into one, so this
// repeats until no ended child is left. As PID 1 of a container it also reaps processes that the front-end did not
// start. Returns whether any child is still alive.
bool reap_children(const std::function<void(pid_t, const Death&)>& each);

// Returns whether `pid` is a child of this process that has not been reaped. Does not reap it.
[[nodiscard]] bool is_child(pid_t pid);
// Returns whether `pid` is a child of this process that a signal has stopped (SIGSTOP).
[[nodiscard]] bool is_stopped(pid_t pid);

}  // namespace yolod::app::process
