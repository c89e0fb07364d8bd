// The weights of a checkpoint as Darknet's rules need them: what Ultralytics' yolov3 does otherwise is made up for, or
// refused.
#pragma once

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::checkpoint {

// `theirs` and `ours` are the same cfg by the rules of Ultralytics and of Darknet, `weights` those of `theirs`. Of
// `ours` the result makes what `theirs` makes of `weights`: variances make up for the other epsilon of batch
// normalisation, factors of a shortcut are what its weights come to. An Error (kBadModel) names the first layer that no
// weights file can make do the same, with its line in the cfg.
[[nodiscard]] common::Outcome<darknet::StoredWeights> to_darknet(const darknet::Network& theirs,
                                                                 const darknet::Network& ours,
                                                                 darknet::StoredWeights weights);

}  // namespace yolod::model::checkpoint
