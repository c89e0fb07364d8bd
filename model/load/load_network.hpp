// Loads the network of a model's config. For Darknet it reads cfg, weights and labels, compiles the network and loads
// it; for TorchScript see load/load_script.hpp. The tasks and yolodctl use it.
#pragma once

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"

namespace yolod::model {

// With `detect.augment` the result is an AugmentedNetwork, or an Error if the network does not support that. An Error
// has code kBadModel and one line that says what is wrong and where.
[[nodiscard]] common::Outcome<LoadedNetwork> load_network(const common::ModelConfig& config,
                                                          const LoadContext& context);

}  // namespace yolod::model
