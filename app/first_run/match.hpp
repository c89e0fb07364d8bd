// `yolod --init` decides here which model files of a folder belong together. The function is pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/first_run/model_file.hpp"
#include "common/domain/task.hpp"

namespace yolod::app::first_run {

struct MatchedModel {
  std::string name;  // valid in a config, and unique among the models
  // name of the file; if empty, the model is a Darknet network, and cfg and weights name its files
  std::string torchscript;
  std::string cfg;
  std::string weights;
  std::string names;  // file with the labels; may be empty for TorchScript
  common::Task task{common::Task::kDetect};
  std::size_t classes{0};  // 0: unknown
};

struct Matches {
  std::vector<MatchedModel> models;
  std::vector<std::string> problems;  // one sentence or more for each file that no model uses, with the reason
};

// A cfg and weights belong together if their names fit (lights.cfg, lights.weights, lights_best.weights), or if they
// are the only cfg and the only weights that are left. Labels belong to a network with the same number of classes,
// by the same rules.
[[nodiscard]] Matches match(const std::vector<ModelFile>& files);

}  // namespace yolod::app::first_run
