// What the kernel says of processes: read from /proc, so each answer is of a moment and may be out of date at once.
// A process that is gone reads as nothing, never as an error.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::tests {

struct ProcessInfo {
  pid_t pid{0};
  pid_t parent{0};
  char state{'?'};  // as in /proc/PID/stat: R S D Z T ...
  std::string name;
  std::chrono::nanoseconds started_at{0};  // since boot, to the clock tick (10 ms); compare with time_since_boot()

  [[nodiscard]] bool zombie() const { return state == 'Z' || state == 'X'; }
};

[[nodiscard]] std::optional<ProcessInfo> process_info(pid_t pid);

// Children of `parent`, zombies among them.
[[nodiscard]] std::vector<ProcessInfo> children_of(pid_t parent);

// Its children, theirs, and so on, zombies among them.
[[nodiscard]] std::vector<ProcessInfo> descendants_of(pid_t ancestor);

// Whether there is such a process and it is not a zombie.
[[nodiscard]] bool is_alive(pid_t pid);

// CLOCK_BOOTTIME, the clock of ProcessInfo::started_at.
[[nodiscard]] std::chrono::nanoseconds time_since_boot();

// SigBlk of every thread, the main thread's first. Bit n-1 stands for signal n: see blocks().
[[nodiscard]] std::vector<std::uint64_t> blocked_signals(pid_t pid);
[[nodiscard]] constexpr bool blocks(std::uint64_t mask, int signal) {
  return ((mask >> static_cast<unsigned>(signal - 1)) & 1U) != 0;
}

[[nodiscard]] std::size_t descriptor_count(pid_t pid);

// Its environment as it was when it was executed, NAME=value each.
[[nodiscard]] std::vector<std::string> environment_of(pid_t pid);

// Lines of /proc/PID/maps that contain `text`.
[[nodiscard]] std::size_t mapping_count(pid_t pid, std::string_view text);

// The most memory that the process ever had, in KiB; -1 if it is gone.
[[nodiscard]] long peak_memory_kib(pid_t pid);

// The names in /dev/shm.
[[nodiscard]] std::set<std::string> shared_memory_names();

// The names in /dev/shm that it has open or mapped. A memfd is in no folder, and not among them.
[[nodiscard]] std::set<std::string> shared_memory_held_by(pid_t pid);

// Sockets on that local TCP port that some process still holds open and that are not listening: connections that the
// server has not closed yet.
[[nodiscard]] std::size_t open_connections_of(std::uint16_t port);

}  // namespace yolod::tests
