// Writes a Darknet .weights file: what weights.hpp reads.
#pragma once

#include <filesystem>

#include "common/outcome.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::darknet {

// Version 0.2.5, as AlexeyAB's program writes it, connected layers not transposed. `weights` are the network's. `file`
// is replaced when all is written, and left alone where that fails: kSystem.
[[nodiscard]] common::Outcome<void> write_weights(const std::filesystem::path& file, const Network& network,
                                                  StoredWeights weights);

}  // namespace yolod::model::darknet
