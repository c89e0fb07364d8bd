// Counts the kinds of lights in a set of scenes.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// One thread owns and uses it.
class SceneShares {
 public:
  void add(const Scene& scene);

  [[nodiscard]] std::size_t scenes() const { return scenes_; }
  [[nodiscard]] std::size_t empty_scenes() const { return empty_; }
  [[nodiscard]] std::size_t lights() const { return lights_; }
  // These functions return shares of the lights, 0 to 1, or 0 if there are no lights.
  [[nodiscard]] double small() const { return share(small_); }
  [[nodiscard]] double partly_hidden() const { return share(hidden_); }
  [[nodiscard]] double at_night() const { return share(at_night_); }
  [[nodiscard]] double of(Light light) const { return share(of_class_[static_cast<std::size_t>(light)]); }

  // Returns the shares as one line.
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] double share(std::size_t count) const {
    return lights_ == 0 ? 0 : static_cast<double>(count) / static_cast<double>(lights_);
  }

  std::size_t scenes_{0};
  std::size_t empty_{0};
  std::size_t lights_{0};
  std::size_t small_{0};
  std::size_t hidden_{0};
  std::size_t at_night_{0};
  std::array<std::size_t, kLightCount> of_class_{};
};

}  // namespace yolod::scenes
