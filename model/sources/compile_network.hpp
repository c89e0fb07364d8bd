// Compiles a Darknet network from its files: cfg, weights and labels. It does not use torch.
#pragma once

#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/rules/picture_rules.hpp"

namespace yolod::model {

// A compiled network that is not loaded yet, and the facts in its files.
struct CompiledModel {
  CompiledNetwork network;
  std::vector<std::string> labels;  // by class; empty if the config gives no names
  PictureRules rules;
  int stride{1};  // for a detector's coarsest head: pixels of the input per cell
  // With `detect.augment` this has the same network at the sizes of heads/augmented_network.hpp, with shared
  // parameters.
  std::vector<CompiledNetwork> views;
};

// Reads and compiles the network of the config. Errors have code kBadModel and one line. It needs memory for the
// weights once, or twice with `detect.augment`.
[[nodiscard]] common::Outcome<CompiledModel> compile_network(const common::ModelConfig& config);

}  // namespace yolod::model
