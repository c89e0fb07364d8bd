// The files that a model is made of.
#pragma once

#include <filesystem>
#include <vector>

#include "common/config/model_config.hpp"

namespace yolod::model {

// Every file that loading it and showing it the canary reads, whether it exists or not.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const common::ModelConfig& config);

}  // namespace yolod::model
