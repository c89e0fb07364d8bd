// Converts the kept candidates to detections in the picture's pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"
#include "model/heads/candidates.hpp"

namespace yolod::model::heads {

enum class Edges {
  kClip,  // at the picture's edges; a box completely outside is omitted
  kKeep,  // keeps boxes that extend beyond the picture
};

// The picture to which boxes are scaled.
struct Target {
  std::uint32_t width{0};
  std::uint32_t height{0};
  Edges edges{Edges::kClip};
};

// Returns whether to_detections() includes this candidate.
[[nodiscard]] bool stays(const Candidate& candidate, const Target& target);

// Returns the first `max_count` candidates that stay(), in the same order.
[[nodiscard]] std::vector<common::Detection> to_detections(std::span<const Candidate> kept, const Target& target,
                                                           std::size_t max_count);

}  // namespace yolod::model::heads
