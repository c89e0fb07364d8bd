// From a model's config to a network that runs and what is to be known of it: reads cfg, weights and labels, compiles,
// loads; or loads a TorchScript file (load/load_script.hpp). What the tasks and yolodctl have in common.
#pragma once

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"

namespace yolod::model {

// With `detect.augment` the network is an AugmentedNetwork; one that cannot be run so is refused. Errors are kBadModel,
// one line that says what and where.
[[nodiscard]] common::Outcome<LoadedNetwork> load_network(const common::ModelConfig& config,
                                                          const LoadContext& context);

}  // namespace yolod::model
