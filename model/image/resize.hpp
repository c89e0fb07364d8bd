// Darknet's bilinear resize, from 8-bit BGR straight into the network's input.
#pragma once

#include <array>
#include <span>

#include "model/image/pixels.hpp"
#include "model/image/placement.hpp"

namespace yolod::model::image {

// value = (byte * scale - mean[c]) / std[c], c counting the channels in the network's order.
struct Normalization {
  float scale{1.0F / 255.0F};
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
  bool swap_to_rgb{true};  // false: the network wants BGR
};

// Fills `input`, [input_size.height, input_size.width, 3] float: the picture resized into `placement`, grey (0.5 before
// normalisation) elsewhere.
//
// Corners are aligned: output column c of w reads source column c * (source_w - 1) / (w - 1), and rows alike. This is
// resize_image() of AlexeyAB/darknet's src/image.c, and what its `detector test` feeds from a file decoded to 8 bits;
// against the tensors that Darknet itself fed the difference is that of two JPEG decoders (it uses stb_image, we
// libjpeg-turbo), at most a few parts in 255.
void resize_into(const PixelView& picture, const Placement& placement, Size input_size,
                 const Normalization& normalization, std::span<float> input);

}  // namespace yolod::model::image
