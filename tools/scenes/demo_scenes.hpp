// The pictures in model/data. No training and no test uses their seed.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

struct DemoScene {
  std::string_view name;  // of its files
  std::uint64_t index;    // with kDemoSeed
};

inline constexpr std::array<DemoScene, 3> kDemoScenes{{{"demo", 131}, {"demo-night", 24}, {"demo-rain", 108}}};
inline constexpr SceneOptions kDemoOptions{1024, 768};

}  // namespace yolod::scenes
