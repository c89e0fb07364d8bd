// `yolod --init` writes the first system.yaml for the model files in a folder.
#pragma once

#include <filesystem>
#include <string>

#include "app/first_run/match.hpp"

namespace yolod::app::first_run {

// Writes the text of a system.yaml that serves these models, with comments for a person who sees the file for the first
// time. REQUIRES: at least one model.
[[nodiscard]] std::string first_config(const Matches& matches);

// Looks at the folder, writes its system.yaml, and tells on stdout what it wrote, what it left out, and which command
// is next. A file that is there is never written over. Failures go to stderr. Gives the exit code: 0; 1 where nothing
// was written; 2 where there is no such folder.
[[nodiscard]] int write_first_config(const std::filesystem::path& folder);

}  // namespace yolod::app::first_run
