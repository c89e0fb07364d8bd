// Counts the threads of this process. A fork copies the calling thread only, but the locks of all threads.
#pragma once

#include <cstddef>

#include "common/unique_fd.hpp"

namespace yolod::common {

// Keeps /proc/self/task open, so that a process that may no longer open files can still count. It counts the threads
// of the process that made it: in a forked child it would count the parent's.
class ThreadCounter {
 public:
  ThreadCounter();
  // Returns 0 if the kernel does not report the number.
  [[nodiscard]] std::size_t count() const;

 private:
  UniqueFd folder_;
};

// Say that this process has one more, or one less, thread that makes system calls only. Such a thread holds no lock
// that a forked child would inherit. Only the thread that forks may call them.
void expect_fork_safe_thread();
void forget_fork_safe_thread();

// Logs and aborts if this process has more than one thread, without the expected ones, for longer than a moment (a
// joined thread stays in the list briefly). Does nothing under ThreadSanitizer, which has a thread of its own.
void require_single_thread(const ThreadCounter& threads = {});

}  // namespace yolod::common
