// Compiles a checked network and its weights to TorchScript source and parameters. Pure; it does not use torch.
#pragma once

#include "model/compiled_network.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::darknet {

// REQUIRES: `weights` were read for this network (read_weights checks that), and the network has a head.
[[nodiscard]] CompiledNetwork compile(const Network& network, Weights weights);

}  // namespace yolod::model::darknet
