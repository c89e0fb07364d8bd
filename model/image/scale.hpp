// From one input of a network to a smaller one of the same picture, in floats.
#pragma once

#include <array>
#include <span>

#include "model/image/placement.hpp"

namespace yolod::model::image {

struct ScaledView {
  bool mirrored{false};            // left and right change places
  Size scaled;                     // what `input` is resized to: the upper left corner of the output
  Size output;                     // no smaller than `scaled`
  std::array<float, 3> padding{};  // the rest of it, by channel
};

// Fills `output`, [view.output.height, view.output.width, 3], from `input`, [input_size.height, input_size.width, 3].
// Bilinear with pixel centres aligned, two pixels a side whatever the scale: PyTorch's interpolate(mode="bilinear",
// align_corners=False). All sizes at least 1.
void scale_into(std::span<const float> input, Size input_size, const ScaledView& view, std::span<float> output);

}  // namespace yolod::model::image
