// Measures how much physical memory a process uses.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace yolod::common {

// Includes shared pages. These functions return 0 if the process does not exist.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

// Excludes files and shared memory. Pages that the process shares with the process that forked it count in full.
[[nodiscard]] std::uint64_t own_bytes(pid_t pid);

// Returns the process's peak size minus its current size.
[[nodiscard]] std::uint64_t given_back_bytes(pid_t pid);

}  // namespace yolod::common
