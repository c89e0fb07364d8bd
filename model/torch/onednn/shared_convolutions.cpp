#include "model/torch/onednn/shared_convolutions.hpp"

#include <algorithm>

namespace yolod::model::onednn {
namespace {

bool same_memory(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.data_ptr() == b.data_ptr() && a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         a.strides() == b.strides();
}

}  // namespace

c10::intrusive_ptr<Convolution> SharedConvolutions::find_or_make(const at::Tensor& weight, const at::Tensor& bias,
                                                                 const ConvolutionSettings& settings) {
  const auto found = std::find_if(made_.begin(), made_.end(), [&](const Made& made) {
    return same_memory(made.weight, weight) && same_memory(made.bias, bias) && made.settings == settings;
  });
  if (found != made_.end()) return found->convolution;
  made_.push_back({weight, bias, settings, c10::make_intrusive<Convolution>(weight, bias, settings)});
  return made_.back().convolution;
}

}  // namespace yolod::model::onednn
