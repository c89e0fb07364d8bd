// Applies the effects of a camera to a picture.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "tools/scenes/plan.hpp"
#include "tools/scenes/render.hpp"

namespace yolod::scenes {

// Applies scattered light, blur, exposure, color, noise and compression.
void shoot(cv::Mat& picture, const Plan& plan, const std::vector<RenderedLight>& lights, Random& random);

}  // namespace yolod::scenes
