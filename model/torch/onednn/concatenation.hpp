// Concatenates maps along their channels with all threads; LibTorch uses only one thread for that. Private to model/.
#pragma once

#include <ATen/ATen.h>
#include <torch/custom_class.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "model/torch/onednn/engine.hpp"

namespace yolod::model::onednn {

// The module that holds it owns it. It belongs to one model, so one thread at a time uses it. Throws c10::Error and
// dnnl::error.
class Concatenation final : public torch::CustomClassHolder {
 public:
  Concatenation();
  ~Concatenation() override;

  // Computes at::cat(maps, 1) for tensors of any kind. It is faster for [n, c, h, w] of float or bfloat16 in
  // channels-last order.
  [[nodiscard]] at::Tensor run(const std::vector<at::Tensor>& maps);

 private:
  struct Execution;

  [[nodiscard]] Execution& execution_for(const std::vector<at::Tensor>& maps);

  std::vector<std::unique_ptr<Execution>> executions_;
};

}  // namespace yolod::model::onednn
