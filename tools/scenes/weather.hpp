// What the weather does to a picture.
#pragma once

#include <opencv2/core/mat.hpp>

#include "tools/scenes/plan.hpp"

namespace yolod::scenes {

// Rain, wet ground, a veil of glare.
void draw_weather(cv::Mat& picture, const Plan& plan, Random& random);

}  // namespace yolod::scenes
