// Many scenes drawn and written as files.
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

// Draws with `threads` threads, at least 1; the files are the same however many there are. After each scene
// `on_written` is told how many there are, by one thread at a time. Returns what is in all of them. Ends with the first
// that cannot be drawn or written: kInternal, kSystem.
[[nodiscard]] common::Outcome<SceneShares> write_scenes(const SceneSeries& series, const std::filesystem::path& folder,
                                                        std::size_t threads,
                                                        const std::function<void(std::size_t)>& on_written);

}  // namespace yolod::scenes
