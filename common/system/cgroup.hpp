// Where this process stands in the control groups (cgroups(7)): the folders whose limits apply to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::common {

enum class CgroupVersion { kV1, kV2 };

struct CgroupFolder {
  CgroupVersion version;
  std::filesystem::path folder;
};

// Every folder whose limits for `controller` ("memory", "cpu") may apply: the process's own group and each above it, in
// v2 and in v1, innermost first. Some may not exist: in a container the group's path is often not visible below the
// mount, and the mount itself is the group.
[[nodiscard]] std::vector<CgroupFolder> cgroup_folders(const std::string& controller,
                                                       const std::filesystem::path& proc_self_cgroup,
                                                       const std::filesystem::path& cgroup_root);

// The sum of the values of the lines `key value` whose keys are asked for, of a file as cgroups have them; 0 where
// there is none.
[[nodiscard]] std::uint64_t sum_of_lines(const std::filesystem::path& file,
                                         std::initializer_list<std::string_view> keys);

}  // namespace yolod::common
