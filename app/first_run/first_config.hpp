// `yolod --init` writes the first system.yaml for the model files in a folder. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "app/first_run/match.hpp"

namespace yolod::app::first_run {

// Returns the text of a system.yaml that serves these models. Its comments explain the file to new users. REQUIRES:
// at least one model.
[[nodiscard]] std::string first_config(const Matches& matches);

// Searches the folder for model files and writes its system.yaml. It prints to stdout which models it wrote, which
// files it left out, and the next command. It never overwrites a file. Failures go to stderr. Returns the exit code:
// 0 if the file was written, 1 if it was not, 2 if there is no such folder.
[[nodiscard]] int write_first_config(const std::filesystem::path& folder);

}  // namespace yolod::app::first_run
