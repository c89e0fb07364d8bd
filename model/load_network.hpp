// From a model's config to a network that runs: reads cfg, weights and labels, compiles, loads. What the detector and
// `yolodctl infer` have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/darknet/network.hpp"
#include "model/model.hpp"
#include "model/torch_network.hpp"

namespace yolod::model {

// A network that is compiled and not loaded yet, and what its files say of it.
struct CompiledModel {
  CompiledNetwork network;
  std::vector<std::string> labels;  // by class; empty if the config names none
  bool letter_box{false};           // what the cfg asks for
  darknet::NmsKind nms_kind{darknet::NmsKind::kIou};
  float beta_nms{0.6F};
  int stride{1};  // of the coarsest head: pixels of the input to a cell
};

struct LoadedNetwork {
  std::unique_ptr<TorchNetwork> network;
  std::vector<std::string> labels;  // by class; empty if the config names none
  bool letter_box{false};           // what the cfg asks for
  darknet::NmsKind nms_kind{darknet::NmsKind::kIou};
  float beta_nms{0.6F};
};

// The first half of load_network(): all but LibTorch. Needs the weights' memory once.
[[nodiscard]] common::Outcome<CompiledModel> compile_network(const common::ModelConfig& config);

// Errors are kBadModel, one line that says what and where.
[[nodiscard]] common::Outcome<LoadedNetwork> load_network(const common::ModelConfig& config,
                                                          const Surroundings& surroundings);

}  // namespace yolod::model
