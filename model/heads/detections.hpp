// From kept candidates to detections in the picture's pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"
#include "model/heads/candidates.hpp"

namespace yolod::model::heads {

enum class Edges {
  kClip,  // at the picture's; a box that lies wholly outside it is left out
  kKeep,  // boxes as the network has them, beyond the picture too
};

// The picture that boxes are brought to.
struct Target {
  std::uint32_t width{0};
  std::uint32_t height{0};
  Edges edges{Edges::kClip};
};

// Whether to_detections() leaves this candidate in.
[[nodiscard]] bool stays(const Candidate& candidate, const Target& target);

// The first `max_count` of those that stay, in the same order.
[[nodiscard]] std::vector<common::Detection> to_detections(std::span<const Candidate> kept, const Target& target,
                                                           std::size_t max_count);

}  // namespace yolod::model::heads
