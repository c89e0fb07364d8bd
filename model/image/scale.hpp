// Scales one float input of a network to a smaller input of the same picture.
#pragma once

#include <array>
#include <span>

#include "model/image/placement.hpp"

namespace yolod::model::image {

struct ScaledView {
  bool mirrored{false};            // swaps left and right
  Size scaled;                     // the size of the resized `input`, in the upper left corner of the output
  Size output;                     // at least as large as `scaled`
  std::array<float, 3> padding{};  // the values of the remaining area, by channel
};

// Fills `output`, [view.output.height, view.output.width, 3], from `input`, [input_size.height, input_size.width, 3].
// It interpolates bilinearly with aligned pixel centres between two pixels per axis at every scale, like PyTorch's
// interpolate(mode="bilinear", align_corners=False). REQUIRES: all sizes are at least 1.
void scale_into(std::span<const float> input, Size input_size, const ScaledView& view, std::span<float> output);

}  // namespace yolod::model::image
