// Finds the other programs of this installation.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"

namespace yolod::common {

// Returns the path of the program in the directory of the running program, or in ../libexec/yolod, where an
// installation puts programs that only other programs start. Returns kSystem if it is in neither or not executable.
// Any thread may call it.
[[nodiscard]] Outcome<std::filesystem::path> find_sibling_program(const std::string& name);

}  // namespace yolod::common
