// The settings of a convolution beside its weights. Private to model/.
#pragma once

#include <array>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace yolod::model::onednn {

// The names are those of oneDNN's eltwise primitive.
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
  // The order is: the first activations, the sum with another tensor of the output's shape, the second activations.
  std::vector<Elementwise> activations;
  bool adds{false};
  std::vector<Elementwise> activations_of_sum;
  friend bool operator==(const ConvolutionSettings&, const ConvolutionSettings&) = default;
};

}  // namespace yolod::model::onednn
