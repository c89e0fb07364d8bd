// These functions read /proc, so each result may be out of date at once. They return nothing for a process that is
// gone, never an error.
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

// Returns the children of `parent`, including zombies.
[[nodiscard]] std::vector<ProcessInfo> children_of(pid_t parent);

// Returns the children of `ancestor`, their children, and so on, including zombies.
[[nodiscard]] std::vector<ProcessInfo> descendants_of(pid_t ancestor);

// Returns whether there is such a process and it is not a zombie.
[[nodiscard]] bool is_alive(pid_t pid);

// Returns the time of CLOCK_BOOTTIME, the clock of ProcessInfo::started_at.
[[nodiscard]] std::chrono::nanoseconds time_since_boot();

// Returns SigBlk of every thread, the main thread first. Bit n-1 is for signal n: see blocks().
[[nodiscard]] std::vector<std::uint64_t> blocked_signals(pid_t pid);
[[nodiscard]] constexpr bool blocks(std::uint64_t mask, int signal) {
  return ((mask >> static_cast<unsigned>(signal - 1)) & 1U) != 0;
}

[[nodiscard]] std::size_t descriptor_count(pid_t pid);

// Returns the process's environment at its exec, one NAME=value each.
[[nodiscard]] std::vector<std::string> environment_of(pid_t pid);

// Counts the lines of /proc/PID/maps that contain `text`.
[[nodiscard]] std::size_t mapping_count(pid_t pid, std::string_view text);

// Returns the peak memory of the process in KiB, or -1 if it is gone.
[[nodiscard]] long peak_memory_kib(pid_t pid);

// Returns the names in /dev/shm.
[[nodiscard]] std::set<std::string> shared_memory_names();

// Returns the names in /dev/shm that the process has open or mapped. Memfds are in no folder, so they are not
// included.
[[nodiscard]] std::set<std::string> shared_memory_held_by(pid_t pid);

// Counts the sockets on that local TCP port that some process still holds open and that are not listening: the server
// has not closed these connections yet.
[[nodiscard]] std::size_t open_connections_of(std::uint16_t port);

}  // namespace yolod::tests
