// Makes a TorchScript module of a CompiledNetwork, which torch_network.cpp runs and export_torchscript.cpp writes.
// Private to model/, because it includes LibTorch.
#pragma once

#include <torch/script.h>

#include "common/config/model_config.hpp"
#include "model/compiled_network.hpp"

namespace yolod::model {

// Returns a module in evaluation mode, not frozen, with the parameters as attributes. `beside` must be given if there
// are `shared_parameters`: these are the parameters of `beside`, and both modules use the same tensor in memory.
// Throws c10::Error if LibTorch refuses the source.
[[nodiscard]] torch::jit::Module define_module(CompiledNetwork compiled, common::Precision precision,
                                               const torch::jit::Module* beside = nullptr);

}  // namespace yolod::model
