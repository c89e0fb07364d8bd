// Writes a Darknet .weights file that weights.hpp can read.
#pragma once

#include <filesystem>

#include "common/outcome.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::darknet {

// Writes version 0.2.5, like AlexeyAB's program, with connected layers not transposed. REQUIRES: `weights` belong to
// the network. The function replaces `file` only when all is written; if writing fails, it returns kSystem and `file`
// stays unchanged.
[[nodiscard]] common::Outcome<void> write_weights(const std::filesystem::path& file, const Network& network,
                                                  StoredWeights weights);

}  // namespace yolod::model::darknet
