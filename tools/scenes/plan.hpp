// A scene before it is drawn: the camera, the air, the traffic lights and all else, each with its place.
#pragma once

#include <cstdint>
#include <opencv2/core/types.hpp>
#include <vector>

#include "tools/scenes/scene.hpp"
#include "tools/scenes/signal_head.hpp"
#include "tools/scenes/stage.hpp"
#include "tools/scenes/things.hpp"

namespace yolod::scenes {

// Metres; of the middle of its front.
struct PlannedLight {
  SignalHead head;
  float x{0};
  float y{0};
  float z{0};

  [[nodiscard]] HeadPlace place(const View& view) const;
  // About where it is seen: of its outline, as if it faced the camera.
  [[nodiscard]] cv::Rect2f seen(const View& view) const;
  // The lit lens alone; of one that is off, all of it.
  [[nodiscard]] cv::Rect2f lens_seen(const View& view) const;
};

// About how much this thing hides, 0 to 1, of what is seen there, `z` metres away.
[[nodiscard]] float hidden_share(const cv::Rect2f& seen, float z, const Item& item, const View& view);

struct Plan {
  View view;
  Air air;
  Street street;
  std::vector<PlannedLight> lights;
  std::vector<Item> items;  // all but the lights, in no order
  std::uint64_t backdrop_seed{0};
  std::uint64_t camera_seed{0};
};

[[nodiscard]] Plan plan_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options);

// plan_lights.cpp: lights with the poles, arms and wires that carry them. Sets the street's junction.
void plan_lights(Plan& plan, Random& random);
// plan_hiding.cpp: things that stand before some of the lights and hide a part of each.
void plan_hiding(Plan& plan, Random& random);

}  // namespace yolod::scenes
