// From a model's config to a network that runs and what is to be known of it: reads cfg, weights and labels, compiles,
// loads; or loads a TorchScript file (torchscript/load_script.hpp). What the tasks and yolodctl have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/model.hpp"
#include "model/network.hpp"
#include "model/picture_rules.hpp"

namespace yolod::model {

// A network that is compiled and not loaded yet, and what its files say of it.
struct CompiledModel {
  CompiledNetwork network;
  std::vector<std::string> labels;  // by class; empty if the config names none
  PictureRules rules;
  int stride{1};  // of a detector's coarsest head: pixels of the input to a cell
  // With `detect.augment`: the same for the sizes of detect/augmented_network.hpp, its parameters shared.
  std::vector<CompiledNetwork> views;
};

struct LoadedNetwork {
  std::unique_ptr<Network> network;
  PictureRules rules;
  std::vector<std::string> labels;  // by class; empty if nothing names them
};

// The first half of load_network(): all but LibTorch. Needs the weights' memory once, for `detect.augment` twice.
[[nodiscard]] common::Outcome<CompiledModel> compile_network(const common::ModelConfig& config);
// "detect" for kDetect, as in the config.
[[nodiscard]] std::string to_string(common::Task task);

// With `detect.augment` the network is an AugmentedNetwork; one that cannot be run so is refused. Errors are kBadModel,
// one line that says what and where.
[[nodiscard]] common::Outcome<LoadedNetwork> load_network(const common::ModelConfig& config,
                                                          const Surroundings& surroundings);

}  // namespace yolod::model
