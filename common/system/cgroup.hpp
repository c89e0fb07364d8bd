// Finds the control groups (cgroups(7)) of this process: the folders whose limits apply to it.
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

// Returns every folder whose limits for `controller` ("memory", "cpu") may apply: the process's own group and each
// group above it, in v2 and v1, innermost first. Some folders may not exist: in a container the group's path is often
// invisible below the mount, and the mount itself is the group.
[[nodiscard]] std::vector<CgroupFolder> cgroup_folders(const std::string& controller,
                                                       const std::filesystem::path& proc_self_cgroup,
                                                       const std::filesystem::path& cgroup_root);

// Returns the sum of the values in a cgroup file's lines `key value` with one of the given keys, or 0 if there is
// none.
[[nodiscard]] std::uint64_t sum_of_lines(const std::filesystem::path& file,
                                         std::initializer_list<std::string_view> keys);

}  // namespace yolod::common
