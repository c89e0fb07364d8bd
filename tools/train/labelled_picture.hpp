// A picture with its objects, as a SampleSource returns it. Plain values.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <vector>

#include "tools/scenes/scene.hpp"

namespace yolod::train {

struct LabelledObject {
  std::uint32_t class_id{0};
  cv::Rect2f box;    // in pixels of the picture, clipped to it
  float visible{1};  // share of the object that nothing hides, if known
};

struct LabelledPicture {
  cv::Mat picture;  // 8-bit BGR
  std::vector<LabelledObject> objects;
};

// The result shares the pixels of `scene`.
[[nodiscard]] inline LabelledPicture labelled(const scenes::Scene& scene) {
  LabelledPicture result{scene.picture, {}};
  for (const auto& light : scene.lights)
    result.objects.push_back({static_cast<std::uint32_t>(light.light), light.box, light.visible});
  return result;
}

}  // namespace yolod::train
