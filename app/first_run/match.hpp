// `yolod --init` decides here which model files of a folder belong together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/first_run/model_file.hpp"
#include "common/domain/task.hpp"

namespace yolod::app::first_run {

struct MatchedModel {
  std::string name;         // the config takes it, and each model has another
  std::string torchscript;  // a file; without it the model is a Darknet network with the next two
  std::string cfg;
  std::string weights;
  std::string names;  // the list of labels; may be empty for TorchScript
  common::Task task{common::Task::kDetect};
  std::size_t classes{0};  // 0: unknown
};

struct Matches {
  std::vector<MatchedModel> models;
  std::vector<std::string> problems;  // for each file that fits nowhere: the reason, in whole sentences
};

// A cfg and weights belong together if their names fit (lights.cfg, lights.weights, lights_best.weights), or if no
// other cfg and no other weights are left. Labels belong to a network with the same number of classes, by the same
// rules.
[[nodiscard]] Matches match(const std::vector<ModelFile>& files);

}  // namespace yolod::app::first_run
