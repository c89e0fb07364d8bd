// What a run needs to go on, in one file of LibTorch's serialisation. Includes LibTorch.
#pragma once

#include <torch/optim/adamw.h>

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/trainable_network.hpp"

namespace yolod::train {

// Refers to its owner's. Loading writes into the tensors, which must have their shapes already.
struct CheckpointParts {
  const NetworkTensors& learned;
  const NetworkTensors& averaged;
  torch::optim::AdamW& optimizer;
};

// `file` is replaced when all is written: kSystem where that fails.
[[nodiscard]] common::Outcome<void> save_checkpoint(const std::filesystem::path& file, const CheckpointParts& parts,
                                                    const RunPosition& position, const std::string& note);
// kBadModel for a file that is none or is of a network with other shapes; what `fits` says of its note. In these cases
// the parts are as they were, unless the file is damaged where its tensors lie: then some may be overwritten.
[[nodiscard]] common::Outcome<RunPosition> load_checkpoint(const std::filesystem::path& file,
                                                           const CheckpointParts& parts, const Learner::NoteFits& fits);

}  // namespace yolod::train
