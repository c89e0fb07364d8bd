// Detects that the kernel killed a yolod process because memory ran out. Such a SIGKILL looks like any other, but the
// control group counts it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/clock.hpp"
#include "common/system/cgroup.hpp"

namespace yolod::common {

// One thread owns and uses it. The arguments are for tests.
class OomKills {
 public:
  explicit OomKills(const std::filesystem::path& proc_self_cgroup = "/proc/self/cgroup",
                    const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

  // Returns true once for each kill in this process's group since construction, unless the kill was forgotten.
  [[nodiscard]] bool claim();
  // Forgets kills that were not claimed for ten seconds, because they hit processes of other programs. Call it
  // periodically.
  void forget_old(Clock::time_point now);

 private:
  [[nodiscard]] std::uint64_t count() const;

  std::filesystem::path counter_;  // empty: there is no counter, and claim() always returns false
  std::uint64_t claimed_;
  std::uint64_t seen_;  // the counter's last value
  Clock::time_point looked_{};
};

}  // namespace yolod::common
