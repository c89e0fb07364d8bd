// docs/configuration.md: every key of system.yaml as its schema has it. `yolod --print-config-reference` prints it.
#pragma once

#include <string>
#include <vector>

#include "common/config/schema.hpp"

namespace yolod::app::reference {

// Writes the page as Markdown. Each of `notes` is a sentence more for a key or a section that
// common::config_reference() has. Pure.
[[nodiscard]] std::string config_page(const std::vector<common::KeyProblem>& notes);

}  // namespace yolod::app::reference
