// A convolution whose weights are laid out once for the processor and whose primitive is made once for each input
// shape; activations and a sum that follow it are done while its output is in the cache. LibTorch lays weights out
// again at each call, and passes over the output once more for each of the others. Private to model/.
#pragma once

#include <ATen/ATen.h>
#include <torch/custom_class.h>

#include <array>
#include <cstdint>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "model/onednn/engine.hpp"

namespace yolod::model::onednn {

// As oneDNN's eltwise primitive names them.
struct Elementwise {
  dnnl::algorithm algorithm;
  float alpha{0};
  float beta{0};
  friend bool operator==(const Elementwise&, const Elementwise&) = default;
};

struct ConvolutionSettings {
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::int64_t groups{1};
  // In this order: the first activations, the sum with another tensor of the output's shape, the second activations.
  std::vector<Elementwise> activations;
  bool adds{false};
  std::vector<Elementwise> activations_of_sum;
  friend bool operator==(const ConvolutionSettings&, const ConvolutionSettings&) = default;
};

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
  std::vector<dnnl::memory> weights_;  // the same in each layout that a shape has asked for
  dnnl::memory bias_;                  // float
  std::vector<std::unique_ptr<Execution>> executions_;
};

}  // namespace yolod::model::onednn
