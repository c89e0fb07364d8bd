// A traffic light's head as it is seen.
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
  float elevation{0};  // radians that the camera looks up to it
};

struct DrawnHead {
  Patch patch;
  std::vector<cv::Point2f> lens;  // the lit one's outline; empty if none is
  cv::Point2f lens_center;
  float lens_radius{0};  // pixels
  Color glow;
};

// `lit` false: the same head with its light off.
[[nodiscard]] DrawnHead draw_head(const SignalHead& head, const HeadPlace& place, const Air& air, bool lit);

}  // namespace yolod::scenes
