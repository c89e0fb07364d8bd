// What a run needs to go on, in one file of LibTorch's serialisation. Includes LibTorch.
#pragma once

#include <torch/optim/adamw.h>

#include <filesystem>

#include "common/outcome.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/trainable_network.hpp"

namespace yolod::train {

// Refers to its owner's. Loading writes into the tensors, which must have their shapes already.
struct CheckpointParts {
  NetworkTensors& learned;
  NetworkTensors& averaged;
  torch::optim::AdamW& optimizer;
};

// `file` is replaced when all is written: kSystem where that fails.
[[nodiscard]] common::Outcome<void> save_checkpoint(const std::filesystem::path& file, const CheckpointParts& parts,
                                                    const RunPosition& position);
// kBadModel for a file that is none or is another network's. Where the file is cut short parts may be overwritten.
[[nodiscard]] common::Outcome<RunPosition> load_checkpoint(const std::filesystem::path& file,
                                                           const CheckpointParts& parts);

}  // namespace yolod::train
