// Finds convolutions by their weights and settings, so that a network that is loaded for several input sizes has its
// weights in memory once. Such a network can use one Convolution for all sizes, because a Convolution makes a
// primitive for each input shape. Private to model/.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "model/torch/onednn/convolution.hpp"

namespace yolod::model::onednn {

// The code that loads a model destroys this object when all modules of the model are loaded. Until then the object
// keeps the tensors of the modules in memory. If modules share a Convolution, only one thread at a time may use any of
// them.
class SharedConvolutions {
 public:
  // If an earlier call had the same tensors (in the same memory) and equal settings, returns the convolution of that
  // call. Otherwise makes a new convolution.
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
