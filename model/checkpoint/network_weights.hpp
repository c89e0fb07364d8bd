// Reads the weights of a Darknet cfg's network from a checkpoint of Ultralytics' yolov3 (archive branch). The tensor
// names have the layer and the module: module_list.3.Conv2d.weight, module_list.3.BatchNorm2d.running_mean.
#pragma once

#include "common/outcome.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::checkpoint {

// The epsilon of nn.BatchNorm2d in that program.
inline constexpr double kBatchNormEpsilon = 1e-4;

// Returns the values of `network`'s layers as the checkpoint has them; for mixed convolutions the kernels follow one
// another. The checkpoint must have a tensor of the right shape for everything that the network needs, and no other
// tensors. An Error (kBadModel) names tensors that are missing, unused, of another shape or not finite.
[[nodiscard]] common::Outcome<darknet::StoredWeights> read_stored_weights(Checkpoint& checkpoint,
                                                                          const darknet::Network& network);

// Returns the weights as they run, with the batch normalisation folded in with that program's epsilon.
[[nodiscard]] common::Outcome<darknet::Weights> read_weights(Checkpoint& checkpoint, const darknet::Network& network);

}  // namespace yolod::model::checkpoint
