// Draws a traffic light's head.
#pragma once

#include <opencv2/core/types.hpp>
#include <vector>

#include "tools/scenes/air.hpp"
#include "tools/scenes/canvas.hpp"
#include "tools/scenes/signal_head.hpp"

namespace yolod::scenes {

struct HeadPlace {
  cv::Point2f center;  // pixels of the picture
  float pixels_per_metre{0};
  float distance{0};   // metres
  float elevation{0};  // the angle in radians at which the camera looks up to the head
};

struct DrawnHead {
  Patch patch;
  std::vector<cv::Point2f> lens;  // the outline of the lit lens; empty if no lens is lit
  cv::Point2f lens_center;
  float lens_radius{0};  // pixels
  Color glow;
};

// If `lit` is false, draws the same head with its light off.
[[nodiscard]] DrawnHead draw_head(const SignalHead& head, const HeadPlace& place, const Air& air, bool lit);

}  // namespace yolod::scenes
