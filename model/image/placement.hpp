// Where a picture lies in the network's input, and the way back from there.
#pragma once

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

// How a side or an offset that is no whole number of pixels becomes one. A network sees what it was trained on only if
// this is the rule of the program that it was trained with.
enum class Rounding {
  kTruncated,   // Darknet: C's conversion of a float to an int
  kHalfToEven,  // Ultralytics and torchvision: Python's round()
};

// In pixels of the network's input. A cropped picture reaches beyond it: x or y is negative.
struct Placement {
  int x{0};
  int y{0};
  int width{0};
  int height{0};

  friend bool operator==(const Placement&, const Placement&) = default;
};

// A letterboxed picture is centred and scaled by the smaller of the two ratios; no side becomes 0. A cropped one is
// scaled so that the input is `crop_fraction` of its shorter side, and its middle is kept. All sizes at least 1,
// `crop_fraction` in (0, 1].
//
// kTruncated follows Darknet: letterbox_image() (src/image.c), and with a `crop_fraction` of 1 resize_min() and
// crop_image() of `classifier predict` (src/classifier.c). kHalfToEven follows Python: the letterbox is Ultralytics'
// LetterBox (ultralytics/data/augment.py), a crop with 224 / 256 is torchvision's Resize(256) and CenterCrop(224),
// which truncates the longer side and rounds the offset.
[[nodiscard]] Placement place(Fit fit, Size image, Size input, Rounding rounding, double crop_fraction = 1);

}  // namespace yolod::model::image
