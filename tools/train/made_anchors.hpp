// Computes the anchors that `yolod-train anchors` prints, from labels or from drawn scenes.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "common/outcome.hpp"
#include "model/image/placement.hpp"
#include "tools/train/anchors.hpp"
#include "tools/train/picture_source.hpp"

namespace yolod::train {

// Uses the lights of `scene_count` scenes of training's first seed. Anchors are in pixels of an input of this size.
// Calls `on_drawn` after each scene with the number of scenes drawn so far. Returns kInternal if the scenes have
// fewer than `count` lights.
[[nodiscard]] common::Outcome<AnchorClusters> anchors_of_scenes(model::image::Size input, std::size_t scene_count,
                                                                std::size_t count,
                                                                const std::function<void(std::size_t)>& on_drawn);

// Uses the labels of pictures that are stretched to the input. Returns kInvalidParameter if fewer than `count`
// labels have an area.
[[nodiscard]] common::Outcome<AnchorClusters> anchors_of_labels(model::image::Size input,
                                                                std::span<const PictureFile> pictures,
                                                                std::size_t count);

}  // namespace yolod::train
