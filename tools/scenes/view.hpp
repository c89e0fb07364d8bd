// The camera: where a point of the street is in the picture.
#pragma once

#include <algorithm>
#include <opencv2/core/types.hpp>

#include "tools/scenes/random.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// A pinhole camera above a flat street. Metres: x to the right of the camera, y up from the road, z ahead.
struct View {
  static constexpr float kNearest = 0.8F;  // what is nearer is taken to be here

  cv::Size size;
  float focal{0};     // pixels
  float center_x{0};  // pixels: where the street ends
  float horizon{0};   // pixels from the top
  float eye{1.4F};    // metres
  float roll{0};      // radians, small

  [[nodiscard]] float scale(float z) const { return focal / std::max(z, kNearest); }  // pixels per metre
  [[nodiscard]] cv::Point2f at(float x, float y, float z) const {
    const float dx = x * scale(z);
    const float dy = (eye - y) * scale(z);
    return {center_x + dx - dy * roll, horizon + dy + dx * roll};
  }
  // The x that is seen in this column, without roll.
  [[nodiscard]] float x_at(float column, float z) const { return (column - center_x) / scale(z); }
  [[nodiscard]] float y_at(float row, float z) const { return eye - (row - horizon) / scale(z); }
  // Pixels here to those of a picture of kStandardWidth.
  [[nodiscard]] float standard() const { return standard_scale(size.width); }
};

inline View random_view(Random& random, cv::Size size) {
  const auto width = static_cast<float>(size.width);
  const auto height = static_cast<float>(size.height);
  View view;
  view.size = size;
  view.focal = width * random.log_uniform(0.75F, 1.8F);
  view.center_x = width * random.uniform(0.3F, 0.7F);
  view.horizon = height * random.uniform(0.48F, 0.78F);
  view.eye = random.chance(0.15F) ? random.uniform(2, 3.2F) : random.uniform(1.2F, 1.7F);
  view.roll = random.normal(0, 0.012F);
  return view;
}

}  // namespace yolod::scenes
