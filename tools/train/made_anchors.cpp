#include "tools/train/made_anchors.hpp"

#include <vector>

#include "tools/scenes/scene.hpp"

namespace yolod::train {

common::Outcome<AnchorClusters> anchors_of_scenes(model::image::Size input, std::size_t scene_count, std::size_t count,
                                                  const std::function<void(std::size_t)>& on_drawn) {
  constexpr std::uint64_t kSeed = 1;
  std::vector<Anchor> sizes;
  for (std::size_t i = 0; i < scene_count; ++i) {
    const auto scene = scenes::draw_scene(kSeed, i);
    const float scale_x = static_cast<float>(input.width) / static_cast<float>(scene.picture.cols);
    const float scale_y = static_cast<float>(input.height) / static_cast<float>(scene.picture.rows);
    for (const auto& light : scene.lights) sizes.push_back({light.box.width * scale_x, light.box.height * scale_y});
    on_drawn(i + 1);
  }
  if (sizes.size() < count)
    return common::Error{common::ErrorCode::kInternal, "the scenes have fewer lights than the number of anchors"};
  return cluster_anchors(sizes, count);
}

common::Outcome<AnchorClusters> anchors_of_labels(model::image::Size input, std::span<const PictureFile> pictures,
                                                  std::size_t count) {
  std::vector<Anchor> sizes;
  for (const auto& picture : pictures) {
    for (const auto& truth : picture.truths) {
      const Anchor size{(truth.box.x_max - truth.box.x_min) * static_cast<float>(input.width),
                        (truth.box.y_max - truth.box.y_min) * static_cast<float>(input.height)};
      if (size.width > 0 && size.height > 0) sizes.push_back(size);
    }
  }
  if (sizes.size() < count)
    return common::Error{common::ErrorCode::kInvalidParameter, "there are fewer labels than the number of anchors"};
  return cluster_anchors(sizes, count);
}

}  // namespace yolod::train
