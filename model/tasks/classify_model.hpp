// A classifier: it applies softmax if the network does not, and returns the most probable classes.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"

namespace yolod::model {

// REQUIRES: the network's output is [images, classes]. Errors have code kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> make_classify_model(const common::ModelConfig& config,
                                                                          LoadedNetwork loaded);

}  // namespace yolod::model
