#include "tools/scenes/plan.hpp"

#include <algorithm>
#include <utility>

#include "tools/scenes/buildings.hpp"
#include "tools/scenes/furniture.hpp"
#include "tools/scenes/plan_hiding.hpp"
#include "tools/scenes/plan_lights.hpp"
#include "tools/scenes/trees.hpp"
#include "tools/scenes/vehicles.hpp"

namespace yolod::scenes {
namespace {

// Returns whether the item hides a large part of a light. Hidden lights are planned separately, and a light that is
// hardly visible would have to be omitted.
bool hides_a_light(const Item& item, const Plan& plan) {
  constexpr float kSome = 0.25F;
  return std::any_of(plan.lights.begin(), plan.lights.end(), [&](const PlannedLight& light) {
    return hidden_share(light.seen(plan.view), light.z, item, plan.view) > kSome ||
           hidden_share(light.lens_seen(plan.view), light.z, item, plan.view) > kSome;
  });
}

}  // namespace

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
