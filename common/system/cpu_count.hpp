// Counts the cores that this process may use.
#pragma once

#include <cstdint>
#include <filesystem>

namespace yolod::common {

// Returns the smaller of the scheduler's affinity and the cgroup quota, rounded down, at least 1. The quota is v2
// `cpu.max` or v1 `cpu.cfs_quota_us` of this process's cgroup and of every cgroup above it. The arguments are for
// tests. Any thread may call it.
[[nodiscard]] std::uint32_t usable_cpu_count(const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
                                             const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

}  // namespace yolod::common
