// Supplies the weights with which training begins: random weights, or the weights of a file if they fit. It needs no
// LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::train {

// Returns weights by He et al. ("Delving Deep into Rectifiers", 2015). The layers before a head have small weights.
// Their biases make all places together expect few objects (Lin et al., "Focal Loss for Dense Object Detection",
// 2017, section 3.3: b = -log((1 - pi) / pi)). Pure.
[[nodiscard]] model::darknet::StoredWeights fresh_weights(const model::darknet::Network& network, std::uint64_t seed);

struct StartWeights {
  model::darknet::StoredWeights weights;
  std::vector<std::size_t> fresh;  // layers for which the file has no weights of the same size
  std::size_t taken{0};            // number of layers with weights from the file
};

// Reads `file` into the weights of `network`. `cfg_text` is the user's cfg before its number of classes was changed.
// The file may be from that cfg, from that cfg with any other number of classes, or may have only the first layers
// of `network`. Layers that fit take the file's weights, and the other layers get fresh weights. Returns kBadModel
// for a file of another network.
[[nodiscard]] common::Outcome<StartWeights> read_start_weights(const std::filesystem::path& file,
                                                               const std::string& cfg_text,
                                                               const model::darknet::Network& network,
                                                               std::uint64_t seed);

// Returns a sentence with the number of layers from the file, and the index and cfg line of each fresh layer.
[[nodiscard]] std::string text_of(const StartWeights& start, const model::darknet::Network& network);

}  // namespace yolod::train
