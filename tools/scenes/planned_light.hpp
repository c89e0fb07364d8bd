// A traffic light in its place, and what stands before it.
#pragma once

#include <opencv2/core/types.hpp>

#include "tools/scenes/draw_head.hpp"
#include "tools/scenes/stage.hpp"
#include "tools/scenes/view.hpp"

namespace yolod::scenes {

// Metres; of the middle of its front.
struct PlannedLight {
  SignalHead head;
  float x{0};
  float y{0};
  float z{0};

  [[nodiscard]] HeadPlace place(const View& view) const;
  // About where it is seen: of its outline, as if it faced the camera.
  [[nodiscard]] cv::Rect2f seen(const View& view) const;
  // The lit lens alone; of one that is off, all of it.
  [[nodiscard]] cv::Rect2f lens_seen(const View& view) const;
};

// About how much this thing hides, 0 to 1, of what is seen there, `z` metres away.
[[nodiscard]] float hidden_share(const cv::Rect2f& seen, float z, const Item& item, const View& view);

}  // namespace yolod::scenes
