// A Darknet .weights file: what it must hold for a network, and reading it.
//
// The format, after AlexeyAB/darknet's load_weights_upto(): int32 major, minor, revision; the images seen in training
// (64 bits from version 0.2 on, 32 before); then float32, little-endian, layer by layer: for a convolution its biases;
// with batch normalisation scales, means, variances; then weights [filters, channels / groups, size, size].
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

// A convolution as it is run: batch normalisation folded in.
struct ConvolutionWeights {
  std::vector<float> biases;   // [filters]
  std::vector<float> weights;  // [filters, channels / groups, size, size]
};

struct Weights {
  // By layer index; empty for layers that have none.
  std::vector<ConvolutionWeights> layers;
};

// Reads `file` for `network`. The file must hold exactly what the network needs: an Error (kBadModel) says by how many
// bytes it is too short or too long, or which layer has a weight that is not a finite number.
[[nodiscard]] common::Outcome<Weights> read_weights(const std::filesystem::path& file, const Network& network);

// Float32 values that the network's layers take from a weights file.
[[nodiscard]] std::int64_t weight_count(const Network& network);

}  // namespace yolod::model::darknet
