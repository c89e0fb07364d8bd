// What a run of training is about: its network, what it begins with, its pictures. No LibTorch.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "tools/train/picture_source.hpp"
#include "tools/train/run.hpp"
#include "tools/train/sample_source.hpp"

namespace yolod::train {

struct TrainingTask {
  std::string cfg_text;  // as it is trained: with the number of classes that was asked for
  bool cfg_is_changed{false};
  model::darknet::Network network;
  std::vector<std::string> names;  // of the classes
  std::unique_ptr<SampleSource> source;
  std::size_t picture_count{0};       // to learn from; 0: scenes, without an end
  std::vector<PictureFile> held_out;  // empty with scenes
  model::darknet::StoredWeights weights;
  bool has_start{false};  // the weights are (in part) a file's
  // Sentences for people.
  std::string data;
  std::string start;
};

// Reads the cfg, the names, all labels and the start weights. Errors are those of run_training().
[[nodiscard]] common::Outcome<TrainingTask> prepare_task(const RunOptions& options);

}  // namespace yolod::train
