// The weights of a Darknet cfg's network out of a checkpoint of Ultralytics' yolov3 (its archive branch), which names
// them by layer and module: module_list.3.Conv2d.weight, module_list.3.BatchNorm2d.running_mean.
#pragma once

#include "common/outcome.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::checkpoint {

// As darknet::read_weights() gives them: batch normalisation folded in, with that program's epsilon of 1e-4. The
// checkpoint must hold a tensor of the right shape for all that the network needs, and nothing else; an Error
// (kBadModel) names what is missing, left over or of another shape.
[[nodiscard]] common::Outcome<darknet::Weights> read_weights(Checkpoint& checkpoint, const darknet::Network& network);

}  // namespace yolod::model::checkpoint
