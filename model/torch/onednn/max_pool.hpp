// Max pooling without indices (LibTorch stores 8 bytes for each value) and with separate padding for each side, as
// Darknet needs. Private to model/.
#pragma once

#include <ATen/ATen.h>
#include <torch/custom_class.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/torch/onednn/engine.hpp"

namespace yolod::model::onednn {

struct MaxPoolSettings {
  std::array<std::int64_t, 2> window{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding_before{0, 0};  // above, left; a padding value is never the maximum
  std::array<std::int64_t, 2> padding_after{0, 0};   // below, right
};

// The module that holds it owns it. It belongs to one model, so one thread at a time uses it. Throws c10::Error and
// dnnl::error.
class MaxPool final : public torch::CustomClassHolder {
 public:
  explicit MaxPool(MaxPoolSettings settings);
  ~MaxPool() override;

  // Computes [n, c, h', w'] from `input` [n, c, h, w], float or bfloat16, channels-last.
  [[nodiscard]] at::Tensor run(const at::Tensor& input);

 private:
  struct Execution;

  [[nodiscard]] Execution& execution_for(const InputShape& shape, std::int64_t channels, at::ScalarType type);

  MaxPoolSettings settings_;
  std::vector<std::unique_ptr<Execution>> executions_;
};

}  // namespace yolod::model::onednn
