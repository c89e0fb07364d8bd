// Turns a checked network and its weights into TorchScript source and parameters. Pure; no torch.
#pragma once

#include "model/compiled_network.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::darknet {

// `weights` must be read for this very network (read_weights checks that), which must have a head.
[[nodiscard]] CompiledNetwork compile(const Network& network, Weights weights);

}  // namespace yolod::model::darknet
