// Compiles a checked network and its weights to TorchScript source and parameters. Pure; it does not use torch.
#pragma once

#include <string>
#include <vector>

#include "model/compiled_network.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::darknet {

// REQUIRES: `weights` were read for this network (read_weights checks that), and the network has a head.
[[nodiscard]] CompiledNetwork compile(const Network& network, Weights weights);

// A network that learns (tools/train).
struct TrainingNetwork {
  // The source of `def forward(self, x: Tensor, training: bool) -> List[Tensor]`. `x` is the input that
  // CompiledNetwork::source describes. The method returns the input map of each head, as float. Its values are logits,
  // even before a head with new_coords: then the method leaves out the logistic function of the previous convolution.
  //
  // If `training` is true, normalisations use the means and variances of the batch and move their running means and
  // variances towards these, and dropout is active.
  std::string source;
  // The parameters of layer i are `w<i>` (weights) and `b<i>` (biases). A normalisation adds `s<i>` (scales), `m<i>`
  // (running means) and `v<i>` (running variances). Each has the values of StoredLayer in the same order.
  // Training learns w, b and s. Parameters with other names are constants.
  std::vector<NetworkParameter> parameters;
};

// REQUIRES: `weights` has the sizes of empty_values() in every layer. `network` follows Darknet's rules, because this
// function does not support Ultralytics' mixed convolutions. Every head is [yolo], [Gaussian_yolo] or [region].
[[nodiscard]] TrainingNetwork compile_for_training(const Network& network, StoredWeights weights);

}  // namespace yolod::model::darknet
