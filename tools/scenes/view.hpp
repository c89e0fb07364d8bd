// The camera: maps points of the street to the picture.
#pragma once

#include <algorithm>
#include <opencv2/core/types.hpp>

#include "tools/scenes/random.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// A pinhole camera above a flat street. Positions are in metres: x to the right of the camera, y up from the road, z
// ahead.
struct View {
  static constexpr float kNearest = 0.8F;  // nearer points are projected as if they were here

  cv::Size size;
  float focal{0};     // in pixels
  float center_x{0};  // in pixels: the column of the vanishing point
  float horizon{0};   // in pixels from the top
  float eye{1.4F};    // the height of the camera in metres
  float roll{0};      // in radians, small

  [[nodiscard]] float scale(float z) const { return focal / std::max(z, kNearest); }  // pixels per metre
  [[nodiscard]] cv::Point2f at(float x, float y, float z) const {
    const float dx = x * scale(z);
    const float dy = (eye - y) * scale(z);
    return {center_x + dx - dy * roll, horizon + dy + dx * roll};
  }
  // Returns the x of this column, without roll.
  [[nodiscard]] float x_at(float column, float z) const { return (column - center_x) / scale(z); }
  [[nodiscard]] float y_at(float row, float z) const { return eye - (row - horizon) / scale(z); }
  // Returns the factor from pixels of this picture to pixels of a picture with the width kStandardWidth.
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
