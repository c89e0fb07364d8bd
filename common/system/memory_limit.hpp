// Finds how much memory this process may still allocate. Call it before allocating, because the kernel kills a
// process that exceeds the cgroup's limit (OOM) or RLIMIT_FSIZE (SIGXFSZ) with shared memory. Reads /proc and /sys;
// any thread may call it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::common {

// The limit that leaves the least memory, among the limits of the process's cgroups (v2 `memory.max`, v1
// `memory.limit_in_bytes`, its own cgroup and every one above it) and the machine's memory.
struct MemoryLimit {
  std::uint64_t limit_bytes{0};
  std::uint64_t used_bytes{0};  // without the page cache, which the kernel can reclaim
  std::string source;           // the file that has the limit

  [[nodiscard]] std::uint64_t left_bytes() const { return limit_bytes > used_bytes ? limit_bytes - used_bytes : 0; }
};

// Returns nullopt if no limit can be read. The arguments are for tests.
[[nodiscard]] std::optional<MemoryLimit> read_memory_limit(
    const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
    const std::filesystem::path& cgroup_root = "/sys/fs/cgroup",
    const std::filesystem::path& proc_meminfo = "/proc/meminfo");

// Returns an Error (kSystem, one line with advice) if the shared memory does not fit. `shared_bytes` in total plus
// `reserve_bytes` for everything else must fit in the cgroup's limit, and `largest_region_bytes`, the largest single
// file, in RLIMIT_FSIZE.
[[nodiscard]] Outcome<void> check_memory_limits(std::uint64_t shared_bytes, std::uint64_t largest_region_bytes,
                                                std::uint64_t reserve_bytes, const std::optional<MemoryLimit>& limit);

}  // namespace yolod::common
