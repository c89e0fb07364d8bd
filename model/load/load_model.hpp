// Loads the model that a config describes.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// Loads the model on the calling thread. An Error has code kBadModel and one line that says what is wrong and where.
// A build without torch returns kBadModel for every model except the identity model.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_model(const common::ModelConfig& config,
                                                                 const LoadContext& context);

}  // namespace yolod::model
