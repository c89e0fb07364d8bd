// Reads the cfg of a network that can be trained.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"

namespace yolod::train {

struct TrainableCfg {
  std::string text;
  model::darknet::Network network;
};

// Any detector that the server supports can be trained, with the following exceptions. For these the functions
// return kBadModel with `source:line: [section]: what`.
//   a cfg without a head, or with a head other than [yolo], [Gaussian_yolo] and [region]
//   [net] with channels other than 3
//   [yolo] with new_coords, if no convolution with activation=logistic comes before it, or if others read that
//   [Gaussian_yolo] with a yolo_point other than center
//   a feature that only Ultralytics' program reads, because no weights file can hold its weights
// read_trainable_cfg() reads the file, and is otherwise as pure as parse_trainable_cfg().
[[nodiscard]] common::Outcome<TrainableCfg> parse_trainable_cfg(std::string text, const std::string& source_name);
[[nodiscard]] common::Outcome<TrainableCfg> read_trainable_cfg(const std::filesystem::path& file);

}  // namespace yolod::train
