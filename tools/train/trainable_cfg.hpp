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

// Errors are kBadModel, `source:line: [section]: what`, with the first thing in it that cannot be trained:
//   [net]: channels other than 3, letter_box: pictures are stretched here
//   a layer without gradients here: there are [convolutional] with the activations linear, leaky, relu, swish, mish and
//     logistic, [maxpool], [route], [shortcut] of equal maps, [upsample], [yolo]
//   a [yolo] without a plain convolution before it
//   a convolution that no head reads: it would learn nothing
// and a cfg without [yolo]. Pure, but for reading the file.
[[nodiscard]] common::Outcome<TrainableCfg> parse_trainable_cfg(std::string text, const std::string& source_name);
[[nodiscard]] common::Outcome<TrainableCfg> read_trainable_cfg(const std::filesystem::path& file);

}  // namespace yolod::train
