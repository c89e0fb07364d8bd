#include "model/compiled/torch_module.hpp"

#include <vector>

#include "model/torch/torch_runtime.hpp"

namespace yolod::model {

using common::Precision;

namespace {

// Of a depthwise convolution: a value of its output is the sum of nine products, over which bf16's rounding of the
// kernel does not average out, and no matrix unit gains by it. Only onednn::Convolution takes the other numbers in
// bf16.
bool keeps_float([[maybe_unused]] const NetworkParameter& parameter) {
#if defined(YOLOD_WITH_ONEDNN)
  return parameter.shape.size() == 4 && parameter.shape[1] == 1;
#else
  return false;
#endif
}

at::Tensor to_tensor(const NetworkParameter& parameter, at::ScalarType precision) {
  // from_blob takes a mutable pointer; what is made of it is copied before the vector goes.
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
  // A file's code is found by names that begin so.
  torch::jit::Module module("__torch__.yolod_network");
  for (auto& parameter : compiled.parameters) {
    module.register_parameter(parameter.name, to_tensor(parameter, scalar_type(precision)), false);
    // Its copy is made; holding both would double the memory of a large network's load.
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
