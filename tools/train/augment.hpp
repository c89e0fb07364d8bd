// From scenes to what the network sees of them in training: parts of them at other sizes and in other colours,
// mirrored, four to a picture (the mosaic of YOLOv4); or, in the plain stage, a whole scene as the server would see it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "model/image/placement.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/train/random_stream.hpp"
#include "tools/train/sample.hpp"
#include "tools/train/schedule.hpp"

namespace yolod::train {

// Chooses a scene, at random.
using ChooseScene = std::function<std::shared_ptr<const scenes::Scene>(RandomStream&)>;

// Fills `pixels`, [input.height, input.width, 3] RGB 0..1, and returns what is in it. Targets lie within the input. Of
// a light that a cut leaves little of (less than scenes::kLeastVisible of it shows) or that is drawn too small (its
// longer side below kShortestTarget) nothing is asked, and of less than a tenth not even that. Any thread; the result
// follows from `random` and the scenes alone.
[[nodiscard]] std::vector<Target> compose(const ChooseScene& choose, Stage stage, model::image::Size input,
                                          RandomStream& random, std::span<float> pixels);

// Pixels of the input: what the shortest lights of scenes come to in one of 416 x 416, lying ones too.
inline constexpr float kShortestTarget = 5.5F;

}  // namespace yolod::train
