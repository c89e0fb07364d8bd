#include "model/compiled/torch_module.hpp"

#include <vector>

#include "model/torch/torch_runtime.hpp"

namespace yolod::model {

using common::Precision;

namespace {

// Returns true for a depthwise convolution. A value of its output is the sum of only nine products, so bf16's
// rounding errors of the kernel do not average out, and matrix units do not speed it up. Only onednn::Convolution
// accepts a bf16 input with float weights.
bool keeps_float([[maybe_unused]] const NetworkParameter& parameter) {
#if defined(YOLOD_WITH_ONEDNN)
  return parameter.shape.size() == 4 && parameter.shape[1] == 1;
#else
  return false;
#endif
}

at::Tensor to_tensor(const NetworkParameter& parameter, at::ScalarType precision) {
  // from_blob() needs a mutable pointer; the result is copied before the vector is freed.
  auto* values = const_cast<float*>(parameter.values.data());
  auto tensor = at::from_blob(values, parameter.shape, at::TensorOptions().dtype(at::kFloat));
  const bool rounded = parameter.follows_precision && !(precision == at::kBFloat16 && keeps_float(parameter));
  const auto type = rounded ? precision : at::kFloat;
  if (parameter.follows_precision && parameter.shape.size() == 4) {
    return tensor.to(tensor.options().dtype(type), false, true, at::MemoryFormat::ChannelsLast);
  }
  return tensor.to(type, false, true);
}

}  // namespace

torch::jit::Module define_module(CompiledNetwork compiled, Precision precision, const torch::jit::Module* beside) {
  // A file's code is found only by names with this prefix.
  torch::jit::Module module("__torch__.yolod_network");
  for (auto& parameter : compiled.parameters) {
    module.register_parameter(parameter.name, to_tensor(parameter, scalar_type(precision)), false);
    // The values were copied; keeping both would double the memory for loading a large network.
    std::vector<float>().swap(parameter.values);
  }
  for (const auto& name : compiled.shared_parameters) {
    module.register_parameter(name, beside->attr(name).toTensor(), false);
  }
  module.define(compiled.source);
  module.eval();
  return module;
}

}  // namespace yolod::model
