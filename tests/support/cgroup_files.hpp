// Reads and writes the files of control groups.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace yolod::tests {

// Returns the control group of this process, in the version 1 hierarchy of `controller` or in the unified hierarchy.
// Returns an empty path if there is none.
[[nodiscard]] std::filesystem::path own_cgroup(std::string_view controller, bool unified);

// Returns false if the kernel refuses the value.
[[nodiscard]] bool write_cgroup_value(const std::filesystem::path& file, const std::string& value);

}  // namespace yolod::tests
