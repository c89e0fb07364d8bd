// Reads the files of a Darknet network: a cfg, and Darknet weights or a checkpoint of Ultralytics' yolov3. The kind
// of the weights decides whose rules apply to the cfg. It does not use torch.
#pragma once

#include <filesystem>
#include <optional>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model {

// Returns whether the weights are a checkpoint; false also for an unreadable file.
[[nodiscard]] bool has_checkpoint(const common::DarknetSource& source);

// Errors of these functions have code kBadModel and one line.
[[nodiscard]] common::Outcome<darknet::Network> read_network(const common::DarknetSource& source,
                                                             const std::optional<common::InputSize>& input_size);

// REQUIRES: read_network() made `network` from the same source.
[[nodiscard]] common::Outcome<darknet::Weights> read_weights(const common::DarknetSource& source,
                                                             const darknet::Network& network);

// Writes the weights as a Darknet .weights file, with which the cfg, by Darknet's rules, computes the same for an
// input of this size. An Error names a layer of a checkpoint that such a file cannot represent; kSystem if the file
// cannot be written.
[[nodiscard]] common::Outcome<void> export_weights(const common::DarknetSource& source,
                                                   const std::optional<common::InputSize>& input_size,
                                                   const std::filesystem::path& file);

}  // namespace yolod::model
