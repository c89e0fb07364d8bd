// Converts the weights of a checkpoint to Darknet's rules. It compensates the differences of Ultralytics' yolov3, or
// refuses the network.
#pragma once

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::checkpoint {

// `theirs` and `ours` are the same cfg by the rules of Ultralytics and of Darknet, and `weights` belong to `theirs`.
// With the result, `ours` computes the same as `theirs` with `weights`: changed variances compensate for the other
// epsilon of batch normalisation, and the factors of a shortcut replace its weights. An Error (kBadModel) names the
// first layer for which this is impossible, with its line in the cfg.
[[nodiscard]] common::Outcome<darknet::StoredWeights> to_darknet(const darknet::Network& theirs,
                                                                 const darknet::Network& ours,
                                                                 darknet::StoredWeights weights);

}  // namespace yolod::model::checkpoint
