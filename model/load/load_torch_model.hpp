// Loads a model of any task that runs on LibTorch: a Darknet network or a TorchScript file.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// See load_model(). Errors have code kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_torch_model(const common::ModelConfig& config,
                                                                       const LoadContext& context);

}  // namespace yolod::model
