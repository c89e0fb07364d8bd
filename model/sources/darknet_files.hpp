// The files of a Darknet network: a cfg, and weights of Darknet's kind or a checkpoint of Ultralytics' yolov3, which
// decides whose rules the cfg is read by. No torch here.
#pragma once

#include <filesystem>
#include <optional>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model {

// Whether its weights are a checkpoint. False too where they cannot be read.
[[nodiscard]] bool has_checkpoint(const common::DarknetSource& source);

// Errors of all of these are kBadModel, one line.
[[nodiscard]] common::Outcome<darknet::Network> read_network(const common::DarknetSource& source,
                                                             const std::optional<common::InputSize>& input_size);

// Of `network`, which read_network() made of the same source.
[[nodiscard]] common::Outcome<darknet::Weights> read_weights(const common::DarknetSource& source,
                                                             const darknet::Network& network);

// Writes the weights as a Darknet .weights file with which, by Darknet's rules, the cfg makes the same of an input of
// this size. An Error names a layer of a checkpoint's that no such file can hold; kSystem where it cannot be written.
[[nodiscard]] common::Outcome<void> export_weights(const common::DarknetSource& source,
                                                   const std::optional<common::InputSize>& input_size,
                                                   const std::filesystem::path& file);

}  // namespace yolod::model
