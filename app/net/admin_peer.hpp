// Whether the process at the other end of a unix socket may administer the server.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

namespace yolod::app::net {

// The parent of a process, or nothing where there is no such process. Reads /proc.
[[nodiscard]] std::optional<pid_t> parent_of(pid_t process);

// True if `ancestor` started `process`, or a process that did, or so on: `parent` says whose child a process is. Also
// true where the chain cannot be followed to its end, as after the death of one of its processes.
[[nodiscard]] bool may_descend_from(pid_t process, pid_t ancestor,
                                    const std::function<std::optional<pid_t>(pid_t)>& parent = parent_of);

// True for a client on a connected unix socket that runs as root or as this process's user, and that is no descendant
// of this process: a worker runs as the same user, and a worker that a picture has taken over must not administer the
// server. The kernel vouches for both (SO_PEERCRED: what held when it connected). False for any other socket.
[[nodiscard]] bool may_administer(int socket);

}  // namespace yolod::app::net
