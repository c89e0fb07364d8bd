#include "tools/train/scene_source.hpp"

#include <utility>

#include "tools/scenes/scene.hpp"

namespace yolod::train {

SceneWindow window_at(const WindowSettings& settings, std::uint64_t step, std::uint64_t batch) {
  const auto fresh = static_cast<std::uint64_t>(static_cast<double>(step * batch) * settings.fresh_per_image);
  const auto end = settings.at_first + fresh;
  return {end > settings.at_most ? end - settings.at_most : 0, end};
}

void SceneSource::begin(std::uint64_t step) {
  const std::lock_guard lock(mutex_);
  scenes_.erase(scenes_.begin(), scenes_.lower_bound(window_at(window_, step, batch_).first));
}

std::shared_ptr<const LabelledPicture> SceneSource::choose(std::uint64_t step, RandomStream& random) {
  const auto window = window_at(window_, step, batch_);
  return get(window.first + random.below(window.end - window.first));
}

std::shared_ptr<const LabelledPicture> SceneSource::get(std::uint64_t index) {
  std::packaged_task<std::shared_ptr<const LabelledPicture>()> draw(
      [this, index] { return std::make_shared<const LabelledPicture>(labelled(scenes::draw_scene(seed_, index))); });
  Drawn drawn;
  {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = scenes_.try_emplace(index);
    if (is_new) entry->second = draw.get_future().share();
    drawn = entry->second;
    if (!is_new) draw = {};
  }
  if (draw.valid()) draw();
  return drawn.get();
}

}  // namespace yolod::train
