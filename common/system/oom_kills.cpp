#include "common/system/oom_kills.hpp"

#include <algorithm>
#include <system_error>

namespace yolod::common {
namespace {

// Returns the counter of the innermost visible group.
std::filesystem::path find_counter(const std::filesystem::path& proc_self_cgroup,
                                   const std::filesystem::path& cgroup_root) {
  for (const auto& at : cgroup_folders("memory", proc_self_cgroup, cgroup_root)) {
    auto file = at.folder / (at.version == CgroupVersion::kV2 ? "memory.events" : "memory.oom_control");
    std::error_code failure;
    if (std::filesystem::exists(file, failure)) return file;
  }
  return {};
}

}  // namespace

OomKills::OomKills(const std::filesystem::path& proc_self_cgroup, const std::filesystem::path& cgroup_root)
    : counter_(find_counter(proc_self_cgroup, cgroup_root)), claimed_(count()), seen_(claimed_) {}

std::uint64_t OomKills::count() const { return counter_.empty() ? 0 : sum_of_lines(counter_, {"oom_kill"}); }

bool OomKills::claim() {
  if (count() <= claimed_) return false;
  ++claimed_;
  return true;
}

void OomKills::forget_old(Clock::time_point now) {
  constexpr std::chrono::seconds kPeriod{10};  // the death of a large process may be reported seconds after the kill
  if (now - looked_ < kPeriod) return;
  looked_ = now;
  claimed_ = std::max(claimed_, seen_);
  seen_ = count();
}

}  // namespace yolod::common
