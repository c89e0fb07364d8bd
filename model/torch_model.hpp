// A detector: decode, resize, forward, NMS. It needs LibTorch through TorchNetwork alone.
#pragma once

#include <memory>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"

namespace yolod::model {

// See load_model(). Errors are kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> load_torch_model(const common::ModelConfig& config,
                                                                       const Surroundings& surroundings);

}  // namespace yolod::model
