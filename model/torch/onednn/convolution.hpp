// A convolution whose weights are laid out once for the processor and whose primitives are made once for each input
// shape; activations and a sum that follow it belong to it. LibTorch lays weights out again at each call. Private to
// model/.
#pragma once

#include <ATen/ATen.h>
#include <torch/custom_class.h>

#include <array>
#include <cstdint>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "model/torch/onednn/convolution_settings.hpp"
#include "model/torch/onednn/engine.hpp"

namespace yolod::model::onednn {

// Owned by the module that holds it. Of one model, so one thread at a time. Throws c10::Error and dnnl::error.
class Convolution final : public torch::CustomClassHolder {
 public:
  // `weight` [filters, channels / groups, h, w] in float or bfloat16, which is also what is computed in, goes in and
  // comes out; where it is float, bfloat16 may go in and then comes out. `bias` [filters], or undefined.
  Convolution(const at::Tensor& weight, const at::Tensor& bias, ConvolutionSettings settings);
  ~Convolution() override;

  // `input` [n, channels, h, w] to [n, filters, h', w'], channels-last. `addend` where the settings say so.
  [[nodiscard]] at::Tensor run(const at::Tensor& input, const at::Tensor* addend);

 private:
  struct Execution;

  [[nodiscard]] Execution& execution_for(const InputShape& shape);
  [[nodiscard]] dnnl::memory weights_in(const dnnl::memory::desc& wanted);

  ConvolutionSettings settings_;
  at::ScalarType type_;
  std::int64_t filters_;
  std::int64_t channels_;  // of the input
  std::array<std::int64_t, 2> kernel_;
  // The same in each layout that a shape has asked for. The first is plain as long as no other can be made from any.
  std::vector<dnnl::memory> weights_;
  dnnl::memory bias_;  // float
  std::vector<std::unique_ptr<Execution>> executions_;
};

}  // namespace yolod::model::onednn
