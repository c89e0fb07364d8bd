// How much memory a process has in the machine.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace yolod::common {

// Shared pages included. 0 for a pid that is none, or a process that is gone; so below.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

// What it has of its own, neither files nor shared memory. Pages that it shares with the process it was forked from
// count in full.
[[nodiscard]] std::uint64_t own_bytes(pid_t pid);

// How much more it had at its largest than it has now.
[[nodiscard]] std::uint64_t given_back_bytes(pid_t pid);

}  // namespace yolod::common
