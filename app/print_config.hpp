// `yolod --print-config`.
#pragma once

#include "common/config/config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// Prints the config to stdout as YAML that reads back as the same config, its warnings as comments above it. An Error
// where YAML cannot hold it: a folder's name may have bytes that are no text.
[[nodiscard]] common::Outcome<void> print_config(const common::Config& config);

}  // namespace yolod::app
