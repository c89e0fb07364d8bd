#include "tools/train/scenes/plan.hpp"

#include <cmath>

namespace yolod::train {

HeadPlace PlannedLight::place(const View& view) const {
  return {view.at(x, y, z), view.scale(z), z, std::atan2(y - view.eye, z)};
}

cv::Rect2f PlannedLight::seen(const View& view) const {
  const auto outline = head.outline() * view.scale(z);
  const auto center = view.at(x, y, z);
  return {center.x - outline.width / 2, center.y - outline.height / 2, outline.width, outline.height};
}

Plan plan_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options) {
  Random random(mixed(seed, index));
  Plan plan;
  plan.backdrop_seed = random.bits();
  plan.camera_seed = random.bits();
  plan.air = random_air(random);
  plan.view = random_view(random, {options.width, options.height});
  plan_lights(plan, random);
  plan_hiding(plan, random);
  add_buildings(plan.items, random, plan.street);
  add_trees(plan.items, random, plan.street);
  add_vehicles(plan.items, random, plan.street);
  add_furniture(plan.items, random, plan.street);
  return plan;
}

}  // namespace yolod::train
