// Checks whether the process at the other end of a Unix socket may administer the server.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

namespace yolod::app::net {

// Returns the parent of a process, or nothing if there is no such process. Reads /proc.
[[nodiscard]] std::optional<pid_t> parent_of(pid_t process);

// Returns true if `process` is `ancestor` or one of its descendants. `parent` returns the parent of a process. If
// the chain of parents cannot be followed to its end, for example after the death of a process in it, the result is
// true too.
[[nodiscard]] bool may_descend_from(pid_t process, pid_t ancestor,
                                    const std::function<std::optional<pid_t>(pid_t)>& parent = parent_of);

// Returns true if the client of a connected Unix socket runs as root or as this process's user and does not descend
// from this process. A worker runs as the same user, and a worker that hostile input controls must not administer
// the server. The kernel provides both facts (SO_PEERCRED), as they were when the client connected. Returns false
// for any other socket.
[[nodiscard]] bool may_administer(int socket);

}  // namespace yolod::app::net
