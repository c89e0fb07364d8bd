// From kept candidates to detections in the picture's pixels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/prediction.hpp"
#include "model/detect/candidates.hpp"

namespace yolod::model::detect {

enum class Edges {
  kClip,  // at the picture's; a box that lies wholly outside it is left out
  kKeep,  // boxes as the network has them, beyond the picture too
};

// In the same order.
[[nodiscard]] std::vector<common::Detection> to_detections(std::span<const Candidate> kept, std::uint32_t image_width,
                                                           std::uint32_t image_height, Edges edges = Edges::kClip);

}  // namespace yolod::model::detect
