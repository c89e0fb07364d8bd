// The plan of a scene before it is drawn: the camera, the air, the traffic lights and all other objects, with their
// positions.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/scenes/air.hpp"
#include "tools/scenes/planned_light.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"
#include "tools/scenes/view.hpp"

namespace yolod::scenes {

struct Plan {
  View view;
  Air air;
  Street street;
  std::vector<PlannedLight> lights;
  std::vector<Item> items;  // everything except the lights, in no particular order
  std::uint64_t backdrop_seed{0};
  std::uint64_t camera_seed{0};
};

[[nodiscard]] Plan plan_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options);

}  // namespace yolod::scenes
