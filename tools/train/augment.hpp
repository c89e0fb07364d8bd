// Makes the training inputs from pictures. In the mixed stage it cuts parts out, scales, recolours and mirrors them,
// and puts up to four of them into one input (the mosaic of YOLOv4). In the plain stage it makes an input of a whole
// picture as the server does.
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
  model::image::Fit fit{model::image::Fit::kStretch};  // how the server fits a picture into the input
  double mosaic_chance{0.75};
  double flip_chance{0.5};
  // A zoom of 1 is the size at which the server shows the picture to the network.
  double smallest_zoom{0.72};
  double largest_zoom{1.5};
  // Objects whose longer side is below this number of pixels of the input are ignored. The default is the size of
  // the smallest lights of scenes in an input of 416 x 416, including horizontal lights.
  float shortest_target{5.5F};
};

// Chooses a picture at random.
using ChoosePicture = std::function<std::shared_ptr<const LabelledPicture>(RandomStream&)>;

// Fills `pixels`, [input.height, input.width, 3], RGB, 0..1, and returns the targets in this input. Targets lie
// within the input. A target is ignored if less than scenes::kLeastVisible of its object is visible after the cut,
// or if it is too small. If less than a tenth of an object is left, it is not a target at all. Any thread may call
// it. The result depends only on `random` and the pictures.
[[nodiscard]] std::vector<Target> compose(const ChoosePicture& choose, Stage stage, const AugmentSettings& settings,
                                          RandomStream& random, std::span<float> pixels);

}  // namespace yolod::train
