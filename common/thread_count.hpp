// How many threads this process has: a fork copies the calling one alone, and the locks of all.
#pragma once

#include <cstddef>

namespace yolod::common {

// Entries of /proc/self/task; 0 where that cannot be read.
[[nodiscard]] std::size_t thread_count();

// Logs and aborts if this process has more than one thread, and still has a moment later: one that was joined is in the
// list a little longer. Does nothing under ThreadSanitizer, which keeps one of its own.
void require_single_thread();

}  // namespace yolod::common
