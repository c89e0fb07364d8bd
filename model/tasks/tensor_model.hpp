// task: tensor. A request's body is an .npy file for a network with one input, or an .npz file; the answer is an .npy
// file where the network gives one tensor, else an .npz file.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::model {

// The config's source must be a TorchScriptSource. Errors are kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_tensor_model(const common::ModelConfig& config,
                                                                        const LoadContext& context);

}  // namespace yolod::model
