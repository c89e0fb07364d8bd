// Convolutions by what they are made of, so that a network that is loaded for several input sizes has its weights in
// memory once: a Convolution makes a primitive for each shape anyway. Private to model/.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "model/torch/onednn/convolution.hpp"

namespace yolod::model::onednn {

// Lives while modules are loaded, and holds their tensors as long. The modules that share a Convolution are used by one
// thread at a time, together.
class SharedConvolutions {
 public:
  // The one that was made of these very tensors, the same in memory, with equal settings; else a new one.
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
