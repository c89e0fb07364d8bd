// A Darknet network with gradients: its tensors, a forward pass over them, and the way to a weights file. Includes
// LibTorch: for the few sources that learn. Networks are trainable ones (trainable_cfg.hpp).
//
// The server's own compiler (model/darknet/compiler.hpp) does not serve here. It folds batch normalisation into the
// convolutions before it writes a line, which is what training needs apart, and its heads give boxes where a loss needs
// logits; a second way through each of its emitters would be longer than the seven layers below.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::train {

// Of one layer; undefined where it has none. Of a convolution `weight` [filters, channels / groups, size, size],
// channels-last, and `bias`; with batch normalisation `scale`, and the running `mean` and `variance`.
struct LayerTensors {
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor scale;
  at::Tensor mean;
  at::Tensor variance;
};

using NetworkTensors = std::vector<LayerTensors>;  // by layer index

// A tensor by its name in a checkpoint, as "weight12".
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  bool learned{true};  // by gradients: not the running mean and variance
};
[[nodiscard]] std::vector<NamedTensor> named(const NetworkTensors& tensors);

// What training begins with: weights by He et al. ("Delving Deep into Rectifiers", 2015); before a head small ones, and
// its biases such that all places together expect few objects (Lin et al., "Focal Loss for Dense Object Detection",
// 2017, section 3.3: b = -log((1 - pi) / pi)). The same for the same seed.
[[nodiscard]] NetworkTensors initial_tensors(const model::darknet::Network& network, std::uint64_t seed);

[[nodiscard]] NetworkTensors copy_of(const NetworkTensors& tensors);

enum class ForwardMode {
  kTraining,    // normalises by the batch, and moves the running mean and variance
  kEvaluation,  // normalises by these
};

// `pictures` [images, 3, height, width], float, RGB, 0..1. The logits of each head, float, [images, rows, columns,
// anchors, 5 + classes], contiguous. Maps and products are in `map_type`, kFloat or kBFloat16; weights, their gradients
// and what normalises stay float.
[[nodiscard]] std::vector<at::Tensor> forward(const model::darknet::Network& network, const NetworkTensors& tensors,
                                              const at::Tensor& pictures, ForwardMode mode, at::ScalarType map_type);

// What a weights file holds of them.
[[nodiscard]] model::darknet::StoredWeights to_stored(const model::darknet::Network& network,
                                                      const NetworkTensors& tensors, std::int64_t images_seen);

}  // namespace yolod::train
