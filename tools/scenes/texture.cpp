#include "tools/scenes/texture.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace yolod::scenes {
namespace {

constexpr std::uint64_t kTextureSeed = 20;

// Makes random greys, smoothed over increasing distances; larger distances have larger amplitudes.
cv::Mat make_clouds() {
  constexpr int kSide = 1024;
  Random random(kTextureSeed);
  cv::Mat sum(kSide, kSide, CV_32FC1, cv::Scalar::all(128));
  float strength = 62;
  for (int cells = 4; cells <= 256; cells *= 2) {
    cv::Mat coarse(cells, cells, CV_32FC1);
    for (int y = 0; y < cells; ++y) {
      for (int x = 0; x < cells; ++x) coarse.at<float>(y, x) = random.uniform(-strength, strength);
    }
    cv::Mat smooth;
    cv::resize(coarse, smooth, sum.size(), 0, 0, cv::INTER_CUBIC);
    sum += smooth;
    strength *= 0.6F;
  }
  cv::Mat bytes;
  sum.convertTo(bytes, CV_8U);
  return bytes;
}

// Makes noise that is mostly equal in the three channels, as after a camera's noise reduction.
cv::Mat make_noise() {
  constexpr int kWidth = 1280;
  constexpr int kHeight = 960;
  Random random(kTextureSeed + 1);
  cv::Mat noise(kHeight, kWidth, CV_8UC3);
  for (int y = 0; y < kHeight; ++y) {
    auto* pixel = noise.ptr<cv::Vec3b>(y);
    for (int x = 0; x < kWidth; ++x) {
      const float grey = random.normal(0, 0.8F * kNoiseDeviation);
      for (int c = 0; c < 3; ++c) {
        pixel[x][c] = cv::saturate_cast<std::uint8_t>(128.5F + grey + random.normal(0, 0.6F * kNoiseDeviation));
      }
    }
  }
  return noise;
}

cv::Mat piece(const cv::Mat& texture, Random& random, cv::Size size) {
  if (size.width > texture.cols || size.height > texture.rows) {
    cv::Mat larger;
    cv::repeat(texture, size.height / texture.rows + 1, size.width / texture.cols + 1, larger);
    return larger(cv::Rect(cv::Point(0, 0), size));
  }
  return texture(cv::Rect(
      cv::Point{random.integer(0, texture.cols - size.width), random.integer(0, texture.rows - size.height)}, size));
}

}  // namespace

cv::Mat cloud_texture(Random& random, cv::Size size) {
  static const cv::Mat clouds = make_clouds();
  return piece(clouds, random, size);
}

cv::Mat stain_texture(Random& random, cv::Size size) {
  static const cv::Mat stains = [] {
    const auto clouds = make_clouds();
    cv::Mat grey;
    cv::cvtColor(clouds, grey, cv::COLOR_GRAY2BGR);
    return grey;
  }();
  return piece(stains, random, size);
}

cv::Mat noise_texture(Random& random, cv::Size size) {
  static const cv::Mat noise = make_noise();
  return piece(noise, random, size);
}

}  // namespace yolod::scenes
