// Draws the objects that resemble traffic lights most: road signs and advertisements.
#pragma once

#include <opencv2/core/types.hpp>

#include "tools/scenes/stage.hpp"

namespace yolod::scenes {

// Draws a road sign of a random kind. Lengths are in metres; `size` is its height.
void draw_sign(const Stage& stage, Random& random, float x, float y, float z, float size);
// Draws a lit or painted panel with discs, arrows and bars in bright colors.
void draw_advertisement(const Stage& stage, Random& random, const cv::Rect2f& metres, float z);

}  // namespace yolod::scenes
