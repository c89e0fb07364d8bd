// TrainingTask has the network, the start weights and the pictures of a run. It needs no LibTorch.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "tools/train/objective.hpp"
#include "tools/train/picture_source.hpp"
#include "tools/train/run.hpp"
#include "tools/train/sample_source.hpp"

namespace yolod::train {

struct TrainingTask {
  std::string cfg_text;  // as trained: with the number of classes that the options give
  bool cfg_is_changed{false};
  model::darknet::Network network;
  std::vector<std::string> names;  // names of the classes
  std::unique_ptr<SampleSource> source;
  std::size_t picture_count{0};       // number of pictures to learn from; 0 for scenes, whose number is unlimited
  std::vector<PictureFile> held_out;  // empty for scenes
  model::darknet::StoredWeights weights;
  bool has_start{false};         // some or all of the weights are from a file
  bool has_fresh_layers{false};  // some of the weights are random
  // Every normalised layer has its weights from the file. Then training keeps the running means and variances.
  bool keeps_statistics{false};
  // Darknet's objectives of the cfg if the run fine-tunes, otherwise empty (LearnerSettings::objectives).
  std::vector<Objective> objectives;
  // These sentences go into the report.
  std::string data;
  std::string start;

  // The start weights fill every layer. Then the run changes them as little as it can.
  [[nodiscard]] bool fine_tunes() const { return has_start && !has_fresh_layers; }
};

// Reads the cfg, the names, all labels and the start weights. Returns the errors of run_training().
[[nodiscard]] common::Outcome<TrainingTask> prepare_task(const RunOptions& options);

}  // namespace yolod::train
