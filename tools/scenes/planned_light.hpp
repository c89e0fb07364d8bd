// A traffic light at its position, and the objects in front of it.
#pragma once

#include <opencv2/core/types.hpp>

#include "tools/scenes/draw_head.hpp"
#include "tools/scenes/stage.hpp"
#include "tools/scenes/view.hpp"

namespace yolod::scenes {

// The position of the middle of its front, in metres.
struct PlannedLight {
  SignalHead head;
  float x{0};
  float y{0};
  float z{0};

  [[nodiscard]] HeadPlace place(const View& view) const;
  // Returns the approximate region of its outline in the picture, as if it faced the camera.
  [[nodiscard]] cv::Rect2f seen(const View& view) const;
  // Returns the region of the lit lens, or of the whole head if the light is off.
  [[nodiscard]] cv::Rect2f lens_seen(const View& view) const;
};

// Returns approximately how much of the region `seen`, `z` metres away, this item hides, 0 to 1.
[[nodiscard]] float hidden_share(const cv::Rect2f& seen, float z, const Item& item, const View& view);

}  // namespace yolod::scenes
