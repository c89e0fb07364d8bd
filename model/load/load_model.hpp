// From a config to a model that is loaded.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// Loads what the config names, on the calling thread. Errors are kBadModel, with one line that says what and where.
// A build without torch answers kBadModel for everything but the identity model.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_model(const common::ModelConfig& config,
                                                                 const LoadContext& context);

}  // namespace yolod::model
