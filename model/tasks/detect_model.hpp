// A detector: it selects candidates from the head, applies NMS, and returns boxes in the picture's pixels.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"

namespace yolod::model {

// Errors have code kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> make_detect_model(const common::ModelConfig& config,
                                                                        LoadedNetwork loaded);

}  // namespace yolod::model
