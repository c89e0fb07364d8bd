// The scenes that are in memory. Drawing one takes as long as learning from it, so each is kept for a while and shown
// several times, each time another part of it.
#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>

#include "tools/scenes/scene.hpp"

namespace yolod::train {

// Indices [first, end).
struct SceneWindow {
  std::uint64_t first{0};
  std::uint64_t end{1};
};

struct WindowSettings {
  std::uint64_t at_first{64};  // scenes to choose from in the first step
  std::uint64_t at_most{1'200};
  double fresh_per_image{0.25};  // new ones for each picture learned from; the oldest go
};

// From which scenes those of a step are chosen. The same for the same step: a run that goes on chooses as if it had
// never stopped.
[[nodiscard]] SceneWindow window_at(const WindowSettings& settings, std::uint64_t step, std::uint64_t batch);

// Any thread.
class ScenePool {
 public:
  explicit ScenePool(std::uint64_t seed) : seed_(seed) {}
  ScenePool(const ScenePool&) = delete;
  ScenePool& operator=(const ScenePool&) = delete;

  // Drawn by whoever asks first, while others who want it wait. What drawing throws, each of them gets.
  [[nodiscard]] std::shared_ptr<const scenes::Scene> get(std::uint64_t index);

  void forget_below(std::uint64_t index);

 private:
  using Drawn = std::shared_future<std::shared_ptr<const scenes::Scene>>;

  const std::uint64_t seed_;
  std::mutex mutex_;
  std::map<std::uint64_t, Drawn> scenes_;  // guarded by mutex_
};

}  // namespace yolod::train
