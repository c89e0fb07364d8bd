// From 8-bit BGR straight into the network's input, in one pass: resized, cut out, normalised.
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
  float grey{0.5F};        // around a letterboxed picture, of 255
};

// How a pixel of the input is made of those of the picture.
enum class Sampling {
  // Bilinear with corners aligned: output column c of w reads source column c * (source_w - 1) / (w - 1), and rows
  // likewise. This is resize_image() of AlexeyAB/darknet's src/image.c, and what its `detector test` feeds from a file
  // decoded to 8 bits; against the tensors that Darknet itself fed the difference is that of two JPEG decoders (it uses
  // stb_image, we libjpeg-turbo), at most a few parts in 255.
  kCornersAligned,
  // Bilinear with pixel centres aligned, as OpenCV's INTER_LINEAR: what Ultralytics' programs feed.
  kCentersAligned,
  // A triangle as wide as the scale asks for, so that every source pixel counts: Pillow's BILINEAR, which torchvision's
  // transforms use. Like kCentersAligned where a picture grows.
  kAveraged,
};

// Fills `input`, [input_size.height, input_size.width, 3] float: the picture resized into `placement` as far as that
// lies within, grey elsewhere.
void resize_into(const PixelView& picture, const Placement& placement, Size input_size,
                 const Normalization& normalization, Sampling sampling, std::span<float> input);

}  // namespace yolod::model::image
