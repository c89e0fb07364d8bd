// The weights of a Darknet cfg's network out of a checkpoint of Ultralytics' yolov3 (its archive branch), which names
// them by layer and module: module_list.3.Conv2d.weight, module_list.3.BatchNorm2d.running_mean.
#pragma once

#include "common/outcome.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::checkpoint {

// Of nn.BatchNorm2d as that program makes them.
inline constexpr double kBatchNormEpsilon = 1e-4;

// What the layers of `network` have, as the checkpoint has it; of mixed convolutions the kernels one after the other.
// It must hold a tensor of the right shape for all that the network needs, and nothing else; an Error (kBadModel) names
// what is missing, left over, of another shape or not finite.
[[nodiscard]] common::Outcome<darknet::StoredWeights> read_stored_weights(Checkpoint& checkpoint,
                                                                          const darknet::Network& network);

// The same as it is run, batch normalisation folded in with that program's epsilon.
[[nodiscard]] common::Outcome<darknet::Weights> read_weights(Checkpoint& checkpoint, const darknet::Network& network);

}  // namespace yolod::model::checkpoint
