// Computes where a picture lies in the network's input, and maps coordinates back to the picture.
#pragma once

namespace yolod::model::image {

enum class Fit {
  kStretch,    // fills the input and changes the aspect ratio
  kLetterbox,  // keeps the aspect ratio, with grey around the picture
  kCrop,       // keeps the aspect ratio and covers the input; the parts outside are cut off
};

struct Size {
  int width{0};
  int height{0};

  friend bool operator==(const Size&, const Size&) = default;
};

// The rule by which a fractional side or offset becomes a whole number of pixels. The rule must be that of the program
// that trained the network, so that the network sees the same pixels.
enum class Rounding {
  kTruncated,   // Darknet: C's conversion of a float to an int
  kHalfToEven,  // Ultralytics and torchvision: Python's round()
};

// A rectangle in pixels of the network's input. For a cropped picture x or y is negative, because it extends beyond the
// input.
struct Placement {
  int x{0};
  int y{0};
  int width{0};
  int height{0};

  friend bool operator==(const Placement&, const Placement&) = default;
};

// Centres a letterboxed picture and scales it by the smaller of the two ratios; no side becomes 0. Scales a cropped
// picture so that the input is `crop_fraction` of its shorter side, and keeps the middle. REQUIRES: all sizes are at
// least 1, and `crop_fraction` is in (0, 1].
//
// kTruncated follows Darknet: letterbox_image() (src/image.c), and with a `crop_fraction` of 1 resize_min() and
// crop_image() of `classifier predict` (src/classifier.c). kHalfToEven follows Python: the letterbox is Ultralytics'
// LetterBox (ultralytics/data/augment.py). A crop with 224 / 256 is torchvision's Resize(256) and CenterCrop(224),
// which truncates the longer side and rounds the offset.
[[nodiscard]] Placement place(Fit fit, Size image, Size input, Rounding rounding, double crop_fraction = 1);

}  // namespace yolod::model::image
