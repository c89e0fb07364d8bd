// A network that makes pictures of pictures: style transfer, restoration, super-resolution.
#pragma once

#include <memory>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"

namespace yolod::model {

// The network's output is [images, 3, height', width'], black and white as image.range says, channels in the order of
// its input. Of a letterboxed picture the part that it fills comes back. Errors are kBadModel.
[[nodiscard]] common::Outcome<std::unique_ptr<Model>> make_image_model(const common::ModelConfig& config,
                                                                       LoadedNetwork loaded);

}  // namespace yolod::model
