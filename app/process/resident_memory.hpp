// How much memory a process has in the machine, shared pages included.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace yolod::app {

// 0 for a pid that is none, or a process that is gone.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

}  // namespace yolod::app
