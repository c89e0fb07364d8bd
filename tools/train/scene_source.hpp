// SceneSource supplies drawn scenes. Drawing a scene takes as long as learning from it. So the source keeps each
// scene for a while, and training learns from several different parts of it.
#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>

#include "tools/train/sample_source.hpp"

namespace yolod::train {

// The indices [first, end).
struct SceneWindow {
  std::uint64_t first{0};
  std::uint64_t end{1};
};

struct WindowSettings {
  std::uint64_t at_first{64};  // number of scenes to choose from in the first step
  std::uint64_t at_most{1'200};
  double fresh_per_image{0.25};  // new scenes for each picture learned from; they replace the oldest scenes
};

// Returns the scenes from which a step chooses. Pure.
[[nodiscard]] SceneWindow window_at(const WindowSettings& settings, std::uint64_t step, std::uint64_t batch);

class SceneSource final : public SampleSource {
 public:
  SceneSource(std::uint64_t seed, const WindowSettings& window, std::size_t batch)
      : seed_(seed), window_(window), batch_(batch) {}

  void begin(std::uint64_t step) override;
  [[nodiscard]] std::shared_ptr<const LabelledPicture> choose(std::uint64_t step, RandomStream& random) override;

  // The first thread that asks for a scene draws it, and other threads that ask for the same scene wait. If drawing
  // throws, all of them get the exception.
  [[nodiscard]] std::shared_ptr<const LabelledPicture> get(std::uint64_t index);

 private:
  using Drawn = std::shared_future<std::shared_ptr<const LabelledPicture>>;

  const std::uint64_t seed_;
  const WindowSettings window_;
  const std::size_t batch_;
  std::mutex mutex_;
  std::map<std::uint64_t, Drawn> scenes_;  // guarded by mutex_
};

}  // namespace yolod::train
