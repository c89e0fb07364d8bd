// Whether the kernel killed a process of ours for want of memory: a SIGKILL like any other, but that the control group
// counts it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/clock.hpp"
#include "common/system/cgroup.hpp"

namespace yolod::common {

// One owner, one thread. The arguments are for tests.
class OomKills {
 public:
  explicit OomKills(const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
                    const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

  // True once for each kill in this process's group since the construction, unless it was forgotten.
  [[nodiscard]] bool claim();
  // A kill that nobody has claimed for ten seconds or more was of a process that is not ours. To be called every so
  // often.
  void forget_old(Clock::time_point now);

 private:
  [[nodiscard]] std::uint64_t count() const;

  std::filesystem::path counter_;  // empty: there is none, and nothing is ever known
  std::uint64_t claimed_;
  std::uint64_t seen_;  // when it was last looked
  Clock::time_point looked_{};
};

}  // namespace yolod::common
