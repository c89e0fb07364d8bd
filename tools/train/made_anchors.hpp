// Anchors for the objects of labels or of drawn scenes: what `yolod-train anchors` prints.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "common/outcome.hpp"
#include "model/image/placement.hpp"
#include "tools/train/anchors.hpp"
#include "tools/train/picture_source.hpp"

namespace yolod::train {

// In pixels of an input of this size, of the lights in so many scenes of training's first seed. After each scene
// `on_drawn` is told how many there are. kInternal where they hold fewer lights than anchors are wanted.
[[nodiscard]] common::Outcome<AnchorClusters> anchors_of_scenes(model::image::Size input, std::size_t scene_count,
                                                                std::size_t count,
                                                                const std::function<void(std::size_t)>& on_drawn);

// The same of the labels of pictures, which are stretched to the input. kInvalidParameter where there are fewer labels
// with an area than anchors are wanted.
[[nodiscard]] common::Outcome<AnchorClusters> anchors_of_labels(model::image::Size input,
                                                                std::span<const PictureFile> pictures,
                                                                std::size_t count);

}  // namespace yolod::train
