// What training begins with: random weights, or those of a file where they fit. No LibTorch.
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

// Weights by He et al. ("Delving Deep into Rectifiers", 2015); before a head small ones, and its biases such that all
// places together expect few objects (Lin et al., "Focal Loss for Dense Object Detection", 2017, section 3.3:
// b = -log((1 - pi) / pi)). Pure.
[[nodiscard]] model::darknet::StoredWeights fresh_weights(const model::darknet::Network& network, std::uint64_t seed);

struct StartWeights {
  model::darknet::StoredWeights weights;
  std::vector<std::size_t> fresh;  // layers with weights that the file has none for, or others in size
  std::size_t taken{0};            // layers whose weights are the file's
};

// Reads `file` for a network that `network` may differ from by its number of classes: `cfg_text` is the user's cfg,
// before its classes were changed. The file may be of that cfg, of the same with any other number of classes, or only
// the first layers of `network`. Layers that fit are taken, the others are fresh. kBadModel for a file of another
// network.
[[nodiscard]] common::Outcome<StartWeights> read_start_weights(const std::filesystem::path& file,
                                                               const std::string& cfg_text,
                                                               const model::darknet::Network& network,
                                                               std::uint64_t seed);

// For people: how many layers are taken, and which are fresh, by index and line of the cfg.
[[nodiscard]] std::string text_of(const StartWeights& start, const model::darknet::Network& network);

}  // namespace yolod::train
