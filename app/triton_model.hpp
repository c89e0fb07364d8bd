// Reads a model in the layout of Triton's model repositories, for models of LibTorch:
//
//   MODEL/config.pbtxt
//   MODEL/1/model.pt
//
// config.pbtxt is protobuf text. The keys that this server can follow are read; any other key is an error, so that no
// model is served otherwise than its config says. Pure functions and reads of small files; any thread may call them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

inline constexpr const char* kTritonConfig = "config.pbtxt";

inline constexpr std::size_t kMostEntries = 1024;  // of server.models_dir, and of the folder of a model

// Returns the settings that the text of a config.pbtxt describes. `file` is the model's TorchScript file. An Error has
// code kBadConfig and names the line.
[[nodiscard]] common::Outcome<common::ModelConfig> parse_triton_config(std::string_view text, const std::string& name,
                                                                       const std::filesystem::path& file);

// Reads the config.pbtxt of the folder and finds the file of its largest version.
[[nodiscard]] common::Outcome<common::ModelConfig> read_triton_model(const std::filesystem::path& folder,
                                                                     const std::string& name);

}  // namespace yolod::app
