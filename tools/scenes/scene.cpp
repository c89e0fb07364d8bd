#include "tools/scenes/scene.hpp"

#include "tools/scenes/camera.hpp"
#include "tools/scenes/plan.hpp"
#include "tools/scenes/render.hpp"
#include "tools/scenes/weather.hpp"

namespace yolod::scenes {

Scene draw_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options) {
  const auto plan = plan_scene(seed, index, options);
  std::vector<std::size_t> drawn;
  auto rendering = render_visible(plan, drawn);
  Random camera(plan.camera_seed);
  draw_weather(rendering.picture, plan, camera);
  shoot(rendering.picture, plan, rendering.lights, camera);
  Scene scene{rendering.picture, {}, plan.air.night()};
  for (const auto& light : rendering.lights) scene.lights.push_back(light.label);
  return scene;
}

}  // namespace yolod::scenes
