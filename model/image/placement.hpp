// Where a picture lies in the network's input, and the way back from there.
#pragma once

#include "common/prediction.hpp"

namespace yolod::model::image {

enum class Fit {
  kStretch,    // fills the input; the sides scale apart
  kLetterbox,  // keeps its shape, grey around it
  kCrop,       // keeps its shape and covers the input; what lies outside is cut off
};

struct Size {
  int width{0};
  int height{0};

  friend bool operator==(const Size&, const Size&) = default;
};

// In pixels of the network's input. A cropped picture reaches beyond it: x or y is negative.
struct Placement {
  int x{0};
  int y{0};
  int width{0};
  int height{0};

  friend bool operator==(const Placement&, const Placement&) = default;
};

// A letterboxed picture is centred and scaled by the smaller of the two ratios, as in Darknet's letterbox_image(); no
// side becomes 0. A cropped one is scaled so that the input is `crop_fraction` of its shorter side, and its middle is
// kept: with 1 this is resize_min() and crop_image() of Darknet's `classifier predict` (src/classifier.c), with 224 /
// 256 torchvision's Resize(256) and CenterCrop(224). All sizes at least 1, `crop_fraction` in (0, 1].
[[nodiscard]] Placement place(Fit fit, Size image, Size input, double crop_fraction = 1);

}  // namespace yolod::model::image
