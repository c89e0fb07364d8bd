// How much memory this process may still take, read before it takes any: shared memory that is allocated past a
// cgroup's limit is answered with an OOM kill, and past RLIMIT_FSIZE with SIGXFSZ. Reads /proc and /sys; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::common {

// Of the limits that apply to this process, the one that leaves least: those of its cgroups (v2 `memory.max`, v1
// `memory.limit_in_bytes`, its own and every one above it), and the machine's memory itself.
struct MemoryLimit {
  std::uint64_t limit_bytes{0};
  std::uint64_t used_bytes{0};  // without the page cache, which gives way
  std::string source;           // the file that says so

  [[nodiscard]] std::uint64_t left_bytes() const { return limit_bytes > used_bytes ? limit_bytes - used_bytes : 0; }
};

// Nothing where none can be read. The arguments are for tests.
[[nodiscard]] std::optional<MemoryLimit> read_memory_limit(
    const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
    const std::filesystem::path& cgroup_root = "/sys/fs/cgroup",
    const std::filesystem::path& proc_meminfo = "/proc/meminfo");

// An Error (kSystem, one line that says what to change) if `shared_bytes` in all, of which `largest_region_bytes` in
// one file, would not fit in the cgroup's limit with `reserve_bytes` left for everything else, or in RLIMIT_FSIZE.
[[nodiscard]] Outcome<void> check_memory_limits(std::uint64_t shared_bytes, std::uint64_t largest_region_bytes,
                                                std::uint64_t reserve_bytes, const std::optional<MemoryLimit>& limit);

}  // namespace yolod::common
