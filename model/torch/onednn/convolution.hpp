// A convolution that converts its weights to the processor's layout once, makes a primitive for each input shape
// once, and includes the following activations and sum. LibTorch converts the weights at each call. Private to
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

// The module that holds it owns it. It belongs to one model, so one thread at a time uses it. Throws c10::Error and
// dnnl::error.
class Convolution final : public torch::CustomClassHolder {
 public:
  // `weight` is [filters, channels / groups, h, w] in float or bfloat16; the computation, the input and the output
  // have that type. With float weights the input may be bfloat16, and the output then is too. `bias` is [filters], or
  // undefined.
  Convolution(const at::Tensor& weight, const at::Tensor& bias, ConvolutionSettings settings);
  ~Convolution() override;

  // Computes [n, filters, h', w'] from `input` [n, channels, h, w], channels-last. `addend` is required if the
  // settings include a sum.
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
  // The weights in each layout that a shape needs. The first layout is plain until a layout exists that can be
  // converted to every other.
  std::vector<dnnl::memory> weights_;
  dnnl::memory bias_;  // always float
  std::vector<std::unique_ptr<Execution>> executions_;
};

}  // namespace yolod::model::onednn
