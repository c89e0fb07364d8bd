// A loaded network, together with the facts that its tensors do not contain.
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
  std::vector<std::string> labels;  // by class; empty if there are no names
};

}  // namespace yolod::model
