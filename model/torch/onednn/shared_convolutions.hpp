// Finds convolutions by their weights and settings, so that a network that is loaded for several input sizes has its
// weights in memory once. That works because a Convolution makes a primitive for each shape. Private to model/.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "model/torch/onednn/convolution.hpp"

namespace yolod::model::onednn {

// It lives while modules are loaded, and holds their tensors during that time. Together, the modules that share a
// Convolution may be used by one thread at a time.
class SharedConvolutions {
 public:
  // Returns the convolution that was made of these tensors (the same memory) with equal settings, or a new one.
  [[nodiscard]] c10::intrusive_ptr<Convolution> find_or_make(const at::Tensor& weight, const at::Tensor& bias,
                                                             const ConvolutionSettings& settings);

 private:
  struct Made {
    at::Tensor weight;
    at::Tensor bias;
    ConvolutionSettings settings;
    c10::intrusive_ptr<Convolution> convolution;
  };

  std::vector<Made> made_;
};

}  // namespace yolod::model::onednn
