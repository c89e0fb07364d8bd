// From a model's config to a network that runs: reads cfg, weights and labels, compiles, loads. What the detector and
// `yolodctl infer` have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/model.hpp"
#include "model/torch_network.hpp"

namespace yolod::model {

struct LoadedNetwork {
  std::unique_ptr<TorchNetwork> network;
  std::vector<std::string> labels;  // by class; empty if the config names none
  bool letter_box{false};           // what the cfg asks for
  darknet::NmsKind nms_kind{darknet::NmsKind::kIou};
  float beta_nms{0.6F};
};

// Errors are kBadModel, one line that says what and where.
[[nodiscard]] common::Outcome<LoadedNetwork> load_network(const common::ModelConfig& config,
                                                          const Surroundings& surroundings);

}  // namespace yolod::model
