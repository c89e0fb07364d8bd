#include "common/system/cpu_count.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>

#include "common/system/cgroup.hpp"

namespace yolod::common {
namespace {

// Returns the folder's quota in cores, or 0 for no quota.
double quota_of(const CgroupFolder& at) {
  double quota = 0;
  double period = 0;
  if (at.version == CgroupVersion::kV2) {
    std::ifstream(at.folder / "cpu.max") >> quota >> period;  // "max 100000" leaves both at 0
  } else {
    std::ifstream(at.folder / "cpu.cfs_quota_us") >> quota;  // -1 means no quota
    std::ifstream(at.folder / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

std::uint32_t usable_cpu_count(const std::filesystem::path& proc_self_cgroup,
                               const std::filesystem::path& cgroup_root) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  double usable = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  for (const CgroupFolder& at : cgroup_folders("cpu", proc_self_cgroup, cgroup_root)) {
    if (const double quota = quota_of(at); quota > 0) usable = std::min(usable, quota);
  }
  return std::max(1U, static_cast<std::uint32_t>(usable));
}

}  // namespace yolod::common
