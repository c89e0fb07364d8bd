// Draws many scenes and writes them as files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/scenes/scene_shares.hpp"

namespace yolod::scenes {

struct SceneSeries {
  struct Member {
    std::uint64_t index{0};
    std::string name;  // of its files
  };
  std::uint64_t seed{0};
  SceneOptions options;
  std::vector<Member> members;
};

// Draws with `threads` threads, at least 1; the files do not depend on the number of threads. After each scene it
// calls `on_written` with the number of written scenes, from one thread at a time. Returns the shares of all scenes.
// Stops at the first scene that cannot be drawn (kInternal) or written (kSystem).
[[nodiscard]] common::Outcome<SceneShares> write_scenes(const SceneSeries& series, const std::filesystem::path& folder,
                                                        std::size_t threads,
                                                        const std::function<void(std::size_t)>& on_written);

}  // namespace yolod::scenes
