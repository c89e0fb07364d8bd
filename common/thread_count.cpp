#include "common/thread_count.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

#include "common/log.hpp"

namespace yolod::common {

std::size_t thread_count() {
  std::error_code failure;
  std::size_t count = 0;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/task", failure);
       !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    ++count;
  }
  return count;
}

void require_single_thread() {
#if !defined(__SANITIZE_THREAD__)
  constexpr int kLooks = 100;
  constexpr std::chrono::milliseconds kPause{1};
  auto threads = thread_count();
  for (int i = 0; i < kLooks && threads > 1; ++i) {
    std::this_thread::sleep_for(kPause);
    threads = thread_count();
  }
  if (threads <= 1) return;  // 0: nobody knows, for want of a descriptor
  log_error("{} threads in a process that is about to fork: there must be one", threads);
  flush_log();
  std::abort();
#endif
}

}  // namespace yolod::common
