// From a TorchScript model's config to a network that looks at pictures and what its output means: from the file's own
// metadata, else from the config, else from its shape and one run on noise.
#pragma once

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/load_network.hpp"
#include "model/model.hpp"

namespace yolod::model::torchscript {

// The config's source is a TorchScriptSource. `precision: auto` is fp32: a module that was not written for bf16 may
// lose its boxes in it. What was concluded rather than said is logged. Errors are kBadModel.
[[nodiscard]] common::Outcome<LoadedNetwork> load_script(const common::ModelConfig& config,
                                                         const Surroundings& surroundings);

// fp32 for `auto`; else as resolve_precision().
[[nodiscard]] common::Outcome<common::Precision> script_precision(const common::ModelConfig& config,
                                                                  const Surroundings& surroundings);

}  // namespace yolod::model::torchscript
