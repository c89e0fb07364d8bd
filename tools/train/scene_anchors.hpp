// Anchors for the lights of drawn scenes: what `yolod-train anchors` prints.
#pragma once

#include <cstddef>

#include "common/outcome.hpp"
#include "model/image/placement.hpp"
#include "tools/train/anchors.hpp"

namespace yolod::train {

// In pixels of an input of this size, of the lights in so many scenes of training's first seed. kInternal where they
// hold fewer lights than anchors are wanted.
[[nodiscard]] common::Outcome<AnchorClusters> anchors_of_scenes(model::image::Size input, std::size_t scenes,
                                                                std::size_t count);

}  // namespace yolod::train
