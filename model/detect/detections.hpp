// From kept candidates to detections in the picture's pixels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/prediction.hpp"
#include "model/detect/candidates.hpp"

namespace yolod::model::detect {

// In the same order; boxes clipped to the picture. One that lies wholly outside it is left out.
[[nodiscard]] std::vector<common::Detection> to_detections(std::span<const Candidate> kept, std::uint32_t image_width,
                                                           std::uint32_t image_height);

}  // namespace yolod::model::detect
