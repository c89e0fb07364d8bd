// yolod refuses some settings that are valid for other programs with the same file: unsupported settings
// (app/unsupported_settings) and unsafe settings (app/unsafe_settings). Pure functions; any thread may call them.
#pragma once

#include <vector>

#include "common/config/config.hpp"
#include "common/config/schema.hpp"

namespace yolod::app {

// Use it as a ConfigCheck.
[[nodiscard]] std::vector<common::KeyProblem> refused_settings(const common::Config& config);

// Returns one sentence for each setting that refused_settings() may refuse. The reference of all keys prints it.
[[nodiscard]] std::vector<common::KeyProblem> notes_on_refused_settings();

}  // namespace yolod::app
