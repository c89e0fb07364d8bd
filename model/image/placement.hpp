// Where a picture lies in the network's input, and the way back from there.
#pragma once

#include "common/prediction.hpp"

namespace yolod::model::image {

enum class Fit {
  kStretch,    // fills the input; the sides scale apart
  kLetterbox,  // keeps its shape, grey around it
};

struct Size {
  int width{0};
  int height{0};

  friend bool operator==(const Size&, const Size&) = default;
};

// In pixels of the network's input.
struct Placement {
  int x{0};
  int y{0};
  int width{0};
  int height{0};

  friend bool operator==(const Placement&, const Placement&) = default;
};

// A letterboxed picture is centred and scaled by the smaller of the two ratios, as in Darknet's letterbox_image(); no
// side becomes 0. All sizes at least 1.
[[nodiscard]] Placement place(Fit fit, Size image, Size input);

}  // namespace yolod::model::image
