// How many cores this process may use.
#pragma once

#include <cstdint>
#include <filesystem>

namespace yolod::common {

// The smaller of the scheduler's affinity and the cgroup's quota (v2 `cpu.max`, v1 `cpu.cfs_quota_us`, this process's
// own cgroup and every one above it), rounded down, at least 1. The arguments are for tests. Any thread.
[[nodiscard]] std::uint32_t usable_cpu_count(const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
                                             const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

}  // namespace yolod::common
