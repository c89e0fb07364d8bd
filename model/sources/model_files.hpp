// Lists the files of a model.
#pragma once

#include <filesystem>
#include <vector>

#include "common/config/model_config.hpp"

namespace yolod::model {

// Returns every file that loading the model and checking its canary reads, whether it exists or not.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const common::ModelConfig& config);

}  // namespace yolod::model
