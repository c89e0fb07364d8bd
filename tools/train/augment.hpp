// From pictures to what the network sees of them in training: parts of them at other sizes and in other colours,
// mirrored, four to an input (the mosaic of YOLOv4); or, in the plain stage, a whole picture as the server would see
// it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "model/image/placement.hpp"
#include "tools/train/labelled_picture.hpp"
#include "tools/train/random_stream.hpp"
#include "tools/train/sample.hpp"
#include "tools/train/schedule.hpp"

namespace yolod::train {

struct AugmentSettings {
  model::image::Size input;
  model::image::Fit fit{model::image::Fit::kStretch};  // as the server brings a picture into the input
  double mosaic_chance{0.75};
  double flip_chance{0.5};
  // Times the size at which the server would see the picture.
  double smallest_zoom{0.72};
  double largest_zoom{1.5};
  // Pixels of the input: nothing is asked of an object whose longer side is below it. The default is what the shortest
  // lights of scenes come to in an input of 416 x 416, lying ones too.
  float shortest_target{5.5F};
};

// Chooses a picture, at random.
using ChoosePicture = std::function<std::shared_ptr<const LabelledPicture>(RandomStream&)>;

// Fills `pixels`, [input.height, input.width, 3] RGB 0..1, and returns what is in it. Targets lie within the input. Of
// an object that a cut leaves little of (less than scenes::kLeastVisible of it shows) or that is drawn too small
// nothing is asked, and of less than a tenth not even that. Any thread; the result follows from `random` and the
// pictures alone.
[[nodiscard]] std::vector<Target> compose(const ChoosePicture& choose, Stage stage, const AugmentSettings& settings,
                                          RandomStream& random, std::span<float> pixels);

}  // namespace yolod::train
