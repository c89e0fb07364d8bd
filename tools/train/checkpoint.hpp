// Saves and loads the state of a run, in one file of LibTorch's serialisation. Includes LibTorch.
#pragma once

#include <torch/optim/adamw.h>

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/trainable_network.hpp"

namespace yolod::train {

// Refers to the tensors of the learner. Loading writes into these tensors, which must already have their shapes.
struct CheckpointParts {
  const NetworkTensors& learned;
  const NetworkTensors& averaged;
  torch::optim::AdamW& optimizer;
};

// Replaces `file` when everything is written. Returns kSystem on failure.
[[nodiscard]] common::Outcome<void> save_checkpoint(const std::filesystem::path& file, const CheckpointParts& parts,
                                                    const RunPosition& position, const std::string& note);
// Returns kBadModel for a file that is not a checkpoint, or that is from a network with other shapes. Returns the
// Error of `fits` if that refuses the note. After an error the parts are unchanged, unless the data of the tensors
// is damaged: then some tensors may be overwritten.
[[nodiscard]] common::Outcome<RunPosition> load_checkpoint(const std::filesystem::path& file,
                                                           const CheckpointParts& parts, const Learner::NoteFits& fits);

}  // namespace yolod::train
