// How many threads this process has: a fork copies the calling one alone, and the locks of all.
#pragma once

#include <cstddef>

#include "common/unique_fd.hpp"

namespace yolod::common {

// Keeps /proc/self/task open, so that a process that may open nothing any more can still count. Of the process that
// made it: a child that is forked gets to see its parent's threads.
class ThreadCounter {
 public:
  ThreadCounter();
  // 0 where the kernel does not say.
  [[nodiscard]] std::size_t count() const;

 private:
  UniqueFd folder_;
};

// Logs and aborts if this process has more than one thread, and still has a moment later: one that was joined is in the
// list a little longer. Does nothing under ThreadSanitizer, which keeps one of its own.
void require_single_thread(const ThreadCounter& threads = {});

}  // namespace yolod::common
