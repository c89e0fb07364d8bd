#include "model/detect/detections.hpp"

#include <algorithm>

namespace yolod::model::detect {

std::vector<common::Detection> to_detections(std::span<const Candidate> kept, std::uint32_t image_width,
                                             std::uint32_t image_height, Edges edges) {
  const auto width = static_cast<float>(image_width);
  const auto height = static_cast<float>(image_height);
  std::vector<common::Detection> detections;
  detections.reserve(kept.size());
  for (const auto& [box, confidence, class_id] : kept) {
    common::Box pixels{(box.x - box.width / 2) * width, (box.y - box.height / 2) * height,
                       (box.x + box.width / 2) * width, (box.y + box.height / 2) * height};
    if (edges == Edges::kClip) {
      pixels = {std::clamp(pixels.x_min, 0.0F, width), std::clamp(pixels.y_min, 0.0F, height),
                std::clamp(pixels.x_max, 0.0F, width), std::clamp(pixels.y_max, 0.0F, height)};
      if (!(pixels.x_max > pixels.x_min) || !(pixels.y_max > pixels.y_min)) continue;
    }
    detections.push_back({class_id, confidence, pixels});
  }
  return detections;
}

}  // namespace yolod::model::detect
