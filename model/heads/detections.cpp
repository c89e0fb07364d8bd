#include "model/heads/detections.hpp"

#include <algorithm>

namespace yolod::model::heads {

namespace {

common::Box box_in(const RelativeBox& box, const Target& target) {
  const auto width = static_cast<float>(target.width);
  const auto height = static_cast<float>(target.height);
  const common::Box pixels{(box.x - box.width / 2) * width, (box.y - box.height / 2) * height,
                           (box.x + box.width / 2) * width, (box.y + box.height / 2) * height};
  if (target.edges == Edges::kKeep) return pixels;
  return {std::clamp(pixels.x_min, 0.0F, width), std::clamp(pixels.y_min, 0.0F, height),
          std::clamp(pixels.x_max, 0.0F, width), std::clamp(pixels.y_max, 0.0F, height)};
}

bool box_stays(const common::Box& box, Edges edges) {
  return edges == Edges::kKeep || (box.x_max > box.x_min && box.y_max > box.y_min);
}

}  // namespace

bool stays(const Candidate& candidate, const Target& target) {
  return box_stays(box_in(candidate.box, target), target.edges);
}

std::vector<common::Detection> to_detections(std::span<const Candidate> kept, const Target& target,
                                             std::size_t max_count) {
  std::vector<common::Detection> detections;
  detections.reserve(std::min(kept.size(), max_count));
  for (const auto& [box, confidence, class_id] : kept) {
    if (detections.size() == max_count) break;
    const auto pixels = box_in(box, target);
    if (box_stays(pixels, target.edges)) detections.push_back({class_id, confidence, pixels});
  }
  return detections;
}

}  // namespace yolod::model::heads
