#include "tools/scenes/scene_shares.hpp"

#include <algorithm>
#include <cstdio>

namespace yolod::scenes {

void SceneShares::add(const Scene& scene) {
  ++scenes_;
  if (scene.lights.empty()) ++empty_;
  const float standard = standard_scale(scene.picture.cols);
  for (const auto& light : scene.lights) {
    ++lights_;
    if (std::max(light.box.width, light.box.height) * standard < kSmallSide) ++small_;
    if (light.visible < kPartlyHidden) ++hidden_;
    if (scene.night) ++at_night_;
    ++of_class_[static_cast<std::size_t>(light.light)];
  }
}

std::string SceneShares::text() const {
  std::string line = std::to_string(lights_) + " lights in " + std::to_string(scenes_) + " scenes (" +
                     std::to_string(empty_) + " without any)";
  const auto append = [&](std::string_view name, double share) {
    std::array<char, 16> percent{};
    std::snprintf(percent.data(), percent.size(), " %.1f %%", 100 * share);
    line.append(", ").append(name).append(percent.data());
  };
  append("small", small());
  append("partly hidden", partly_hidden());
  append("at night", at_night());
  for (std::size_t i = 0; i < kLightCount; ++i) append(kLightNames[i], of(static_cast<Light>(i)));
  return line;
}

}  // namespace yolod::scenes
