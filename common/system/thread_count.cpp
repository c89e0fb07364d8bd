#include "common/system/thread_count.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "common/log.hpp"
#include "common/sanitizers.hpp"

namespace yolod::common {
namespace {

// The layout of an entry that getdents64(2) returns.
struct Entry {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t bytes;
  std::uint8_t type;
  char name[1];
};

// Returns how many names in the result of one getdents64() begin with a digit.
std::size_t numbers_in(const char* entries, std::size_t bytes) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < bytes;) {
    std::uint16_t entry_bytes = 0;
    std::memcpy(&entry_bytes, entries + at + offsetof(Entry, bytes), sizeof entry_bytes);
    const char first = entries[at + offsetof(Entry, name)];
    if (first >= '0' && first <= '9') ++count;
    at += entry_bytes;
  }
  return count;
}

std::size_t fork_safe_count = 0;

}  // namespace

void expect_fork_safe_thread() { ++fork_safe_count; }
void forget_fork_safe_thread() { --fork_safe_count; }

ThreadCounter::ThreadCounter() : folder_(::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

std::size_t ThreadCounter::count() const {
  if (!folder_.valid() || ::lseek(folder_.get(), 0, SEEK_SET) != 0) return 0;
  std::size_t count = 0;
  std::array<char, 4096> entries{};
  for (;;) {
    const long bytes = ::syscall(SYS_getdents64, folder_.get(), entries.data(), entries.size());
    if (bytes <= 0) return bytes == 0 ? count : 0;
    count += numbers_in(entries.data(), static_cast<std::size_t>(bytes));
  }
}

void require_single_thread(const ThreadCounter& threads) {
  if constexpr (kThreadSanitizer) return;  // it adds a thread
  constexpr int kLooks = 100;
  constexpr std::chrono::milliseconds kPause{1};
  auto count = threads.count();
  for (int i = 0; i < kLooks && count > 1 + fork_safe_count; ++i) {
    std::this_thread::sleep_for(kPause);
    count = threads.count();
  }
  if (count <= 1 + fork_safe_count) return;  // 0 means unknown, because there is no descriptor
  log_error("a process that is about to fork has {} threads, but must have {}; it aborts", count, 1 + fork_safe_count);
  flush_log();
  std::abort();
}

}  // namespace yolod::common
