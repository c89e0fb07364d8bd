// The files of control groups, as tests use them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace yolod::tests {

// The control group of this process: in the version 1 hierarchy of `controller`, or in the unified one. Empty where
// there is none.
[[nodiscard]] std::filesystem::path own_cgroup(std::string_view controller, bool unified);

// False if the kernel refuses the value.
[[nodiscard]] bool write_cgroup_value(const std::filesystem::path& file, const std::string& value);

}  // namespace yolod::tests
