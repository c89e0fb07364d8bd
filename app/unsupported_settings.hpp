// Settings that the config knows and this version does not act on. They are refused, not ignored: a server that was
// told to ask for keys must not serve without.
//
// These are not in common/config, which has what is wrong in any program that reads the file. Whether a setting is
// acted on is a matter of this program and its build: yolodctl takes a model from a file whose server.tls only a server
// would act on, and a GPU's name is right for a worker that was built with CUDA. The config's validation asks this
// check before it reports (common::ConfigCheck), so that all faults of a file are told at once, in the order of the
// file.
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
