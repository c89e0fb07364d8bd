// From the files of a Darknet network to a network that is compiled: cfg, weights and labels. No torch here.
#pragma once

#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/rules/picture_rules.hpp"

namespace yolod::model {

// A network that is compiled and not loaded yet, and what its files say of it.
struct CompiledModel {
  CompiledNetwork network;
  std::vector<std::string> labels;  // by class; empty if the config names none
  PictureRules rules;
  int stride{1};  // of a detector's coarsest head: pixels of the input to a cell
  // With `detect.augment`: the same for the sizes of heads/augmented_network.hpp, its parameters shared.
  std::vector<CompiledNetwork> views;
};

// Reads and compiles what the config names. Errors are kBadModel, one line. Needs the weights' memory once, for
// `detect.augment` twice.
[[nodiscard]] common::Outcome<CompiledModel> compile_network(const common::ModelConfig& config);

}  // namespace yolod::model
