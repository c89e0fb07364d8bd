// Settings that the config knows and this version does not act on. They are refused, not ignored: a server that was
// told to ask for keys must not serve without.
#pragma once

#include <string>
#include <vector>

#include "common/config.hpp"

namespace yolod::app {

// One line each: `key: what is not supported yet`.
[[nodiscard]] std::vector<std::string> unsupported_settings(const common::Config& config);

}  // namespace yolod::app
