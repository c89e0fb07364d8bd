#include "common/memory_limit.hpp"

#include <sys/resource.h>

#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

namespace yolod::common {
namespace {

std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string word;
  if (!(in >> word)) return std::nullopt;  // absent, or "max"
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failure != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

struct Controller {
  std::filesystem::path mount;
  std::string group;  // "/a/b"
  const char* limit_file;
  const char* usage_file;
};

// One line of /proc/self/cgroup is `id:controllers:group`; v2's has id 0 and no controllers (cgroups(7)).
std::vector<Controller> memory_controllers(const std::filesystem::path& proc_self_cgroup,
                                           const std::filesystem::path& cgroup_root) {
  std::vector<Controller> found;
  std::ifstream in(proc_self_cgroup);
  std::string line;
  while (std::getline(in, line)) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      found.push_back({cgroup_root, group, "memory.max", "memory.current"});
      found.push_back({cgroup_root / "unified", group, "memory.max", "memory.current"});
    } else if (controllers.find(",memory,") != std::string::npos) {
      found.push_back({cgroup_root / "memory", group, "memory.limit_in_bytes", "memory.usage_in_bytes"});
    }
  }
  return found;
}

std::string mebibytes(std::uint64_t bytes) {
  std::ostringstream text;
  text.precision(1);
  text << std::fixed << static_cast<double>(bytes) / (1 << 20) << " MiB";
  return text.str();
}

}  // namespace

std::optional<MemoryLimit> read_memory_limit(const std::filesystem::path& proc_self_cgroup,
                                             const std::filesystem::path& cgroup_root) {
  std::optional<MemoryLimit> tightest;
  for (const Controller& controller : memory_controllers(proc_self_cgroup, cgroup_root)) {
    // In a container the group's path may not exist below the mount: then the mount itself is our group.
    std::filesystem::path group = controller.mount / std::filesystem::path(controller.group).relative_path();
    for (;;) {
      const auto limit = read_number(group / controller.limit_file);
      if (limit && (!tightest || *limit < tightest->limit_bytes)) {
        tightest = MemoryLimit{*limit, read_number(group / controller.usage_file).value_or(0),
                               (group / controller.limit_file).string()};
      }
      if (group == controller.mount || !group.has_parent_path() || group == group.parent_path()) break;
      group = group.parent_path();
    }
  }
  // v1 says "no limit" with a number near 2^63.
  if (tightest && tightest->limit_bytes > (1ULL << 60U)) return std::nullopt;
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
    const std::uint64_t left = limit->limit_bytes > limit->used_bytes ? limit->limit_bytes - limit->used_bytes : 0;
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
