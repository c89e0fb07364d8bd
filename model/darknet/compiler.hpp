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
  // One method, `def forward(self, x: Tensor, training: bool) -> List[Tensor]`. It takes what CompiledNetwork::source
  // takes and returns, for each head, the map before it as float: logits, also where a head takes the logistic as done
  // (new_coords). `training` says whether to normalise by the batch, which also moves the running means and variances,
  // and to drop out.
  std::string source;
  // Of layer i: `w<i>` (weights), `b<i>` (biases), `s<i>`, `m<i>` and `v<i>` (scales, running means and variances of a
  // normalisation), with the values of StoredLayer in its order. w, b and s are learned. Others are constants.
  std::vector<NetworkParameter> parameters;
};

// `weights` must have the sizes of empty_values() in every layer, and `network` Darknet's rules (Ultralytics' mixed
// convolutions are not compiled so) and heads of [yolo], [Gaussian_yolo] or [region] alone.
[[nodiscard]] TrainingNetwork compile_for_training(const Network& network, StoredWeights weights);

}  // namespace yolod::model::darknet
