// A network that computes pictures from pictures: style transfer, restoration, super-resolution.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"

namespace yolod::model {

// REQUIRES: the network's output is [images, 3, height', width'], with black and white as in image.range and channels
// in the order of its input. For a letterboxed picture the answer is the part that the picture fills. Errors have
// code kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> make_image_model(const common::ModelConfig& config,
                                                                       LoadedNetwork loaded);

}  // namespace yolod::model
