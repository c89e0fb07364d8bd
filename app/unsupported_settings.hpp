// Finds the settings that are valid in a config, but that this version or this build of yolod does not support.
// yolod refuses such settings and does not ignore them. For example, a model that should run on a GPU must not run on
// the CPU.
//
// common/config has the rules that hold for every program that reads the file. The rules here depend on this program
// and its build. yolodctl, for example, may read a file with the name of a GPU, and that name is valid if the workers
// were built with CUDA. The validation of the config calls this check before it reports (common::ConfigCheck).
// So yolod reports all problems of a file at once, in the order of the file.
//
// The functions are pure: any thread may call them.
#pragma once

#include <vector>

#include "common/config/config.hpp"
#include "common/config/schema.hpp"

namespace yolod::app {

// Use it as a part of a ConfigCheck (app/refused_settings).
[[nodiscard]] std::vector<common::KeyProblem> unsupported_settings(const common::Config& config);

// Returns one sentence for each setting that unsupported_settings() may refuse. The reference of all keys prints it.
// A key has the form of common/config/reference.hpp ("server.admin_listen", "models[].task").
[[nodiscard]] std::vector<common::KeyProblem> notes_on_unsupported_settings();

}  // namespace yolod::app
