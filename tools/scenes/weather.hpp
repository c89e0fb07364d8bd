// Applies the weather to a picture.
#pragma once

#include <opencv2/core/mat.hpp>

#include "tools/scenes/plan.hpp"

namespace yolod::scenes {

// Draws rain, wet ground and a veil of glare.
void draw_weather(cv::Mat& picture, const Plan& plan, Random& random);

}  // namespace yolod::scenes
