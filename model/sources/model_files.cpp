#include "model/sources/model_files.hpp"

#include <variant>

#include "model/sources/labels.hpp"

namespace yolod::model {

std::vector<std::filesystem::path> files_of(const common::ModelConfig& config) {
  std::vector<std::filesystem::path> files;
  if (const auto* darknet = std::get_if<common::DarknetSource>(&config.source)) {
    files = {darknet->cfg, darknet->weights, darknet->names, darknet::list_named_by(darknet->names)};
  } else if (const auto* script = std::get_if<common::TorchScriptSource>(&config.source)) {
    files = {script->file, script->names};
  }
  files.push_back(config.canary.image);
  std::erase_if(files, [](const auto& file) { return file.empty(); });
  return files;
}

}  // namespace yolod::model
