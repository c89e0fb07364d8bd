// Where the other programs of this installation are.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"

namespace yolod::common {

// The program of that name beside the one that runs, or in ../libexec/yolod where an installation puts what only other
// programs start. kSystem if it is in neither or may not be executed. Any thread.
[[nodiscard]] Outcome<std::filesystem::path> find_sibling_program(const std::string& name);

}  // namespace yolod::common
