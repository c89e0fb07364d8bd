#include "tools/scenes/planned_light.hpp"

#include <cmath>

namespace yolod::scenes {

HeadPlace PlannedLight::place(const View& view) const {
  return {view.at(x, y, z), view.scale(z), z, std::atan2(y - view.eye, z)};
}

cv::Rect2f PlannedLight::seen(const View& view) const {
  const auto outline = head.outline() * view.scale(z);
  const auto center = view.at(x, y, z);
  return {center.x - outline.width / 2, center.y - outline.height / 2, outline.width, outline.height};
}

cv::Rect2f PlannedLight::lens_seen(const View& view) const {
  if (head.lit < 0) return seen(view);
  const float along = (static_cast<float>(head.lit) - 0.5F * static_cast<float>(head.lens_count - 1)) * head.section();
  const float scale = view.scale(z);
  const auto center = view.at(x, y, z) + scale * (head.lying ? cv::Point2f(along, 0) : cv::Point2f(0, along));
  const float side = scale * head.lens_diameter;
  return {center.x - side / 2, center.y - side / 2, side, side};
}

float hidden_share(const cv::Rect2f& seen, float z, const Item& item, const View& view) {
  if (item.reach.empty() || item.depth >= z) return 0;
  const auto corner = view.at(item.reach.x, item.reach.y + item.reach.height, item.depth);
  return (cv::Rect2f(corner, item.reach.size() * view.scale(item.depth)) & seen).area() / seen.area();
}

}  // namespace yolod::scenes
