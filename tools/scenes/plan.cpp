#include "tools/scenes/plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace yolod::scenes {

namespace {

// More than some of one: what is to be hidden is planned, and a light that is hardly seen would have to be left out.
bool hides_a_light(const Item& item, const Plan& plan) {
  constexpr float kSome = 0.25F;
  return std::any_of(plan.lights.begin(), plan.lights.end(), [&](const PlannedLight& light) {
    return hidden_share(light.seen(plan.view), light.z, item, plan.view) > kSome ||
           hidden_share(light.lens_seen(plan.view), light.z, item, plan.view) > kSome;
  });
}

}  // namespace

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

Plan plan_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options) {
  Random random(seed, index);
  Plan plan;
  plan.backdrop_seed = random.bits();
  plan.camera_seed = random.bits();
  plan.air = random_air(random);
  plan.view = random_view(random, {options.width, options.height});
  plan_lights(plan, random);
  plan_hiding(plan, random);
  add_buildings(plan.items, random, plan.street);
  std::vector<Item> others;
  add_trees(others, random, plan.street);
  add_vehicles(others, random, plan.street);
  add_furniture(others, random, plan.street);
  for (auto& item : others) {
    if (!hides_a_light(item, plan)) plan.items.push_back(std::move(item));
  }
  return plan;
}

}  // namespace yolod::scenes
