// Textures for irregular surfaces, made once and then cut from: clouds, stains, and a camera's noise.
#pragma once

#include <opencv2/core/mat.hpp>

#include "tools/scenes/random.hpp"

namespace yolod::scenes {

// Each function returns a piece of this size from a random place, enlarged if the texture is too small. Do not write
// to it, because it may be a part of the texture that all threads share.
[[nodiscard]] cv::Mat cloud_texture(Random& random, cv::Size size);  // 8-bit, one channel, soft; mean about 128
[[nodiscard]] cv::Mat stain_texture(Random& random, cv::Size size);  // the same as 8-bit BGR
[[nodiscard]] cv::Mat noise_texture(Random& random, cv::Size size);  // 8-bit BGR; mean 128, deviation kNoiseDeviation

inline constexpr float kNoiseDeviation = 32;

}  // namespace yolod::scenes
