// Implements `yolod --print-config`.
#pragma once

#include "common/config/config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// Prints the config to stdout as YAML. If the text is read again, the config is the same. The warnings come first,
// as comments. Returns kBadConfig if YAML cannot hold the config: a path may contain bytes that are not text.
[[nodiscard]] common::Outcome<void> print_config(const common::Config& config);

}  // namespace yolod::app
