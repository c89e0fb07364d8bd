// A CompiledNetwork as a TorchScript module: what torch_network.cpp runs and export_torchscript.cpp writes. Private to
// model/: includes LibTorch.
#pragma once

#include <torch/script.h>

#include "common/config/model_config.hpp"
#include "model/compiled_network.hpp"

namespace yolod::model {

// In evaluation mode, not frozen: its parameters are its attributes. `shared_parameters` are those of `beside`, which
// must be there if there are any, and remain one tensor in memory. Source that LibTorch refuses throws c10::Error.
[[nodiscard]] torch::jit::Module define_module(CompiledNetwork compiled, common::Precision precision,
                                               const torch::jit::Module* beside = nullptr);

}  // namespace yolod::model
