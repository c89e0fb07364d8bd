// Settings that the config knows and this version does not act on. They are refused, not ignored: a server that was
// told to ask for keys must not serve without.
#pragma once

#include <vector>

#include "common/config/config.hpp"
#include "common/config/schema.hpp"

namespace yolod::app {

// A ConfigCheck.
[[nodiscard]] std::vector<common::KeyProblem> unsupported_settings(const common::Config& config);

}  // namespace yolod::app
