#include "common/system/memory_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "common/system/cgroup.hpp"

namespace yolod::common {
namespace {

std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string word;
  if (!(in >> word)) return std::nullopt;  // the file is absent, or says "max"
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failure != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<MemoryLimit> cgroup_memory(const CgroupFolder& at) {
  const bool v2 = at.version == CgroupVersion::kV2;
  const auto limit_file = at.folder / (v2 ? "memory.max" : "memory.limit_in_bytes");
  const auto limit = read_number(limit_file);
  // In v1 a number near 2^63 means "no limit".
  if (!limit || *limit > (1ULL << 60U)) return std::nullopt;
  const auto usage = read_number(at.folder / (v2 ? "memory.current" : "memory.usage_in_bytes")).value_or(0);
  const auto stat = at.folder / "memory.stat";
  const auto cache = v2 ? sum_of_lines(stat, {"active_file", "inactive_file"})
                        : sum_of_lines(stat, {"total_active_file", "total_inactive_file"});
  return MemoryLimit{*limit, usage > cache ? usage - cache : 0, limit_file.string()};
}

std::optional<MemoryLimit> machine_memory(const std::filesystem::path& proc_meminfo) {
  const std::uint64_t total = sum_of_lines(proc_meminfo, {"MemTotal:"}) * 1024;
  const std::uint64_t available = sum_of_lines(proc_meminfo, {"MemAvailable:"}) * 1024;
  if (total == 0 || available > total) return std::nullopt;
  return MemoryLimit{total, total - available, proc_meminfo.string()};
}

std::string mebibytes(std::uint64_t bytes) {
  std::ostringstream text;
  text.precision(1);
  text << std::fixed << static_cast<double>(bytes) / (1 << 20) << " MiB";
  return text.str();
}

}  // namespace

std::optional<MemoryLimit> read_memory_limit(const std::filesystem::path& proc_self_cgroup,
                                             const std::filesystem::path& cgroup_root,
                                             const std::filesystem::path& proc_meminfo) {
  std::optional<MemoryLimit> tightest = machine_memory(proc_meminfo);
  for (const CgroupFolder& at : cgroup_folders("memory", proc_self_cgroup, cgroup_root)) {
    const auto limit = cgroup_memory(at);
    if (limit && (!tightest || limit->left_bytes() < tightest->left_bytes())) tightest = limit;
  }
  return tightest;
}

Outcome<void> check_memory_limits(std::uint64_t shared_bytes, std::uint64_t largest_region_bytes,
                                  std::uint64_t reserve_bytes, const std::optional<MemoryLimit>& limit) {
  rlimit file_size{};
  if (getrlimit(RLIMIT_FSIZE, &file_size) == 0 && file_size.rlim_cur != RLIM_INFINITY &&
      file_size.rlim_cur < largest_region_bytes) {
    return Error{ErrorCode::kSystem, "shared memory needs a file of " + mebibytes(largest_region_bytes) +
                                         " but RLIMIT_FSIZE allows " + mebibytes(file_size.rlim_cur) +
                                         ": raise it (ulimit -f) or lower memory.input_arena"};
  }
  if (limit) {
    const std::uint64_t left = limit->left_bytes();
    if (left < shared_bytes + reserve_bytes) {
      return Error{ErrorCode::kSystem, "shared memory needs " + mebibytes(shared_bytes) + " (and " +
                                           mebibytes(reserve_bytes) + " beside it) but " + limit->source + " leaves " +
                                           mebibytes(left) + " of " + mebibytes(limit->limit_bytes) +
                                           ": raise the limit, or lower memory.input_arena or workers"};
    }
  }
  return {};
}

}  // namespace yolod::common
