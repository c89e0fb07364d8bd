// A picture and what is in it, as a source of samples gives it.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <vector>

#include "tools/scenes/scene.hpp"

namespace yolod::train {

struct LabelledObject {
  std::uint32_t class_id{0};
  cv::Rect2f box;    // pixels of the picture, clipped to it
  float visible{1};  // the share of the object that nothing hides, as far as that is known
};

struct LabelledPicture {
  cv::Mat picture;  // 8-bit BGR
  std::vector<LabelledObject> objects;
};

// The same pixels, not copied.
[[nodiscard]] inline LabelledPicture labelled(const scenes::Scene& scene) {
  LabelledPicture result{scene.picture, {}};
  for (const auto& light : scene.lights)
    result.objects.push_back({static_cast<std::uint32_t>(light.light), light.box, light.visible});
  return result;
}

}  // namespace yolod::train
