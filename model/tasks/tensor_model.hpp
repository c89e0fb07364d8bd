// Implements task: tensor. A request's body is an .npy file for a network with one input, or an .npz file. The answer
// is an .npy file if the network returns one tensor, otherwise an .npz file.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// REQUIRES: the config's source is a TorchScriptSource. Errors have code kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_tensor_model(const common::ModelConfig& config,
                                                                        const LoadContext& context);

}  // namespace yolod::model
