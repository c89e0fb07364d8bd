// A network that is loaded, and what is to be known of it beside its tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/network.hpp"
#include "model/rules/picture_rules.hpp"

namespace yolod::model {

struct LoadedNetwork {
  std::unique_ptr<Network> network;
  PictureRules rules;
  std::vector<std::string> labels;  // by class; empty if nothing names them
};

}  // namespace yolod::model
