#include "model/detect/detections.hpp"

#include <algorithm>

namespace yolod::model::detect {

std::vector<common::Detection> to_detections(std::span<const Candidate> kept, std::uint32_t image_width,
                                             std::uint32_t image_height) {
  const auto width = static_cast<float>(image_width);
  const auto height = static_cast<float>(image_height);
  std::vector<common::Detection> detections;
  detections.reserve(kept.size());
  for (const auto& [box, confidence, class_id] : kept) {
    const common::Box pixels{std::clamp((box.x - box.width / 2) * width, 0.0F, width),
                             std::clamp((box.y - box.height / 2) * height, 0.0F, height),
                             std::clamp((box.x + box.width / 2) * width, 0.0F, width),
                             std::clamp((box.y + box.height / 2) * height, 0.0F, height)};
    if (!(pixels.x_max > pixels.x_min) || !(pixels.y_max > pixels.y_min)) continue;
    detections.push_back({class_id, confidence, pixels});
  }
  return detections;
}

}  // namespace yolod::model::detect
