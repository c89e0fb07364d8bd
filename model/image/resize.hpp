// Resizes, crops and normalises 8-bit BGR pixels into the network's input, in one pass.
#pragma once

#include <array>
#include <span>

#include "model/image/pixels.hpp"
#include "model/image/placement.hpp"

namespace yolod::model::image {

// value = (byte * scale - mean[c]) / std[c], where c is the channel in the network's order.
struct Normalization {
  float scale{1.0F / 255.0F};
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
  bool swap_to_rgb{true};  // false: the network expects BGR
  float grey{0.5F};        // the value around a letterboxed picture, of 255
};

// The method that computes the value of an input pixel from the picture's pixels.
enum class Sampling {
  // Bilinear with aligned corners: output column c of w reads source column c * (source_w - 1) / (w - 1), and rows
  // likewise. This is resize_image() of AlexeyAB/darknet's src/image.c, which its `detector test` applies to a file
  // decoded to 8 bits. The result differs from Darknet's own tensors only by the JPEG decoder (stb_image there,
  // libjpeg-turbo here), by at most a few parts in 255.
  kCornersAligned,
  // Bilinear with aligned pixel centres, like OpenCV's INTER_LINEAR, which Ultralytics' programs use.
  kCentersAligned,
  // A triangle filter as wide as the scale needs, so that every source pixel counts: Pillow's BILINEAR, which
  // torchvision's transforms use. If the picture grows, the result is that of kCentersAligned.
  kAveraged,
};

// Fills `input`, [input_size.height, input_size.width, 3] float, with the picture resized to `placement`, and with
// grey outside it.
void resize_into(const PixelView& picture, const Placement& placement, Size input_size,
                 const Normalization& normalization, Sampling sampling, std::span<float> input);

}  // namespace yolod::model::image
