// Whether the kernel killed a process of ours for want of memory: a SIGKILL like any other, but that the control group
// counts it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/cgroup.hpp"

namespace yolod::common {

// One owner, one thread. The arguments are for tests.
class OomKills {
 public:
  explicit OomKills(const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
                    const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

  // True once for each kill in this process's group since the first call or the construction.
  [[nodiscard]] bool claim();

 private:
  [[nodiscard]] std::uint64_t count() const;

  std::filesystem::path counter_;  // empty: there is none, and nothing is ever known
  std::uint64_t claimed_;
};

}  // namespace yolod::common
