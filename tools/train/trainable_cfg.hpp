// The cfg of a network that can be trained here.
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

// Any detector that the server reads can be trained, but for these, which are refused: kBadModel, `source:line:
// [section]: what`.
//   a cfg without a head, or with a head other than [yolo], [Gaussian_yolo] and [region]
//   [net]: channels other than 3
//   [yolo] with new_coords that has no convolution with activation=logistic before it, or one that others read too
//   [Gaussian_yolo] whose yolo_point is no centre
//   what only Ultralytics' program reads: no weights file can hold it
// Pure, but for reading the file.
[[nodiscard]] common::Outcome<TrainableCfg> parse_trainable_cfg(std::string text, const std::string& source_name);
[[nodiscard]] common::Outcome<TrainableCfg> read_trainable_cfg(const std::filesystem::path& file);

}  // namespace yolod::train
