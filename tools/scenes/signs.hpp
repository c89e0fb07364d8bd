// What resembles a traffic light more than most: road signs and advertisements.
#pragma once

#include <opencv2/core/types.hpp>

#include "tools/scenes/stage.hpp"

namespace yolod::scenes {

// A road sign of any kind. Metres; `size` is its height.
void draw_sign(const Stage& stage, Random& random, float x, float y, float z, float size);
// A lit or painted panel with discs, arrows and bars in loud colors.
void draw_advertisement(const Stage& stage, Random& random, const cv::Rect2f& metres, float z);

}  // namespace yolod::scenes
