// Settings that the config knows and this version does not act on. They are refused, not ignored: a server that was
// told to ask for keys must not serve without.
#pragma once

#include <vector>

#include "common/config/config.hpp"
#include "common/config/schema.hpp"

namespace yolod::app {

// A ConfigCheck.
[[nodiscard]] std::vector<common::KeyProblem> unsupported_settings(const common::Config& config);

// One sentence for each setting that unsupported_settings() may refuse, for the reference of all keys. A key has the
// form of common/config/reference.hpp ("server.tls", "models[].task").
[[nodiscard]] std::vector<common::KeyProblem> notes_on_unsupported_settings();

}  // namespace yolod::app
