#include "tools/scenes/camera.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "model/image/codec/decode.hpp"
#include "model/image/codec/encode.hpp"
#include "tools/scenes/texture.hpp"

namespace yolod::scenes {
namespace {

// At night the halo keeps the lens's color, which the overexposed lens has lost.
void scatter(cv::Mat& picture, const Plan& plan, const std::vector<RenderedLight>& lights, Random& random) {
  const float unit = 1 / plan.view.standard();
  const bool dark = plan.air.daytime != Daytime::kDay;
  const float strength = dark ? random.uniform(0.45F, 1) : random.uniform(0.05F, 0.3F);
  const float reach = dark ? random.uniform(2, 4) : random.uniform(1.5F, 2.2F);
  for (const auto& light : lights) {
    const auto& glow = light.glow;
    if (glow.radius == 0) continue;
    const float own = strength * glow.share * (glow.arrow ? 0.35F : 1);
    add_glow(picture, glow.center, std::max(reach * glow.radius, (dark ? 3.5F : 2.2F) * unit),
             glow.color * (0.75F * own));
    if (dark && !glow.arrow) add_glow(picture, glow.center, 2.6F * reach * glow.radius, glow.color * (0.28F * own));
  }
}

// `gently` limits the blur, because a strong blur would remove the color of the smallest lens.
void blur(cv::Mat& picture, Random& random, float unit, bool gently) {
  constexpr std::array<float, 4> kKinds{0.35F, 0.45F, 0.12F, 0.08F};  // none, defocus, movement, few pixels
  constexpr std::array<float, 4> kGentleKinds{0.5F, 0.5F, 0, 0};
  switch (random.weighted(gently ? kGentleKinds : kKinds)) {
    case 0: return;
    case 1: {
      const double sigma = random.uniform(0.35F, gently ? 0.6F : 0.95F) * unit;
      cv::GaussianBlur(picture, picture, sigma < 1 ? cv::Size(3, 3) : cv::Size(7, 7), sigma);
      return;
    }
    case 2: {
      const int length = std::max(2, static_cast<int>(std::lround(random.uniform(2, 3.4F) * unit)));
      cv::blur(picture, picture, random.chance(0.7F) ? cv::Size(length, 1) : cv::Size(1, length));
      return;
    }
    default: {
      const double factor = random.uniform(0.62F, 0.9F);
      cv::Mat fewer;
      cv::resize(picture, fewer, {}, factor, factor, cv::INTER_LINEAR);
      cv::resize(fewer, picture, picture.size(), 0, 0, cv::INTER_LINEAR);
      return;
    }
  }
}

// Applies exposure, contrast and white balance with one table.
void grade(cv::Mat& picture, Random& random) {
  const float gamma = random.uniform(0.85F, 1.18F);
  const float gain = random.uniform(0.85F, 1.15F);
  const float lift = random.chance(0.3F) ? random.uniform(0, 14) : 0;
  const float warm = random.normal(0, 0.04F);
  const float green = random.normal(0, 0.02F);
  const std::array<float, 3> channels{1 - warm, 1 + green, 1 + warm};
  std::array<std::array<std::uint8_t, 256>, 3> tables{};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 256; ++i) {
      const float tone = 255 * std::pow(static_cast<float>(i) / 255, gamma) * gain;
      tables[c][i] = cv::saturate_cast<std::uint8_t>(lift + tone * channels[c]);
    }
  }
  // cv::LUT takes three times as long.
  for (int y = 0; y < picture.rows; ++y) {
    auto* pixel = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < picture.cols; ++x) {
      pixel[x] = {tables[0][pixel[x][0]], tables[1][pixel[x][1]], tables[2][pixel[x][2]]};
    }
  }
}

void darken_corners(cv::Mat& picture, Random& random) {
  const float loss = random.uniform(0.1F, 0.45F);
  cv::Mat coarse(24, 32, CV_8UC3);
  for (int y = 0; y < coarse.rows; ++y) {
    for (int x = 0; x < coarse.cols; ++x) {
      const float dx = (static_cast<float>(x) + 0.5F) / 16 - 1;
      const float dy = (static_cast<float>(y) + 0.5F) / 12 - 1;
      const float out = (dx * dx + dy * dy) / 2;
      coarse.at<cv::Vec3b>(y, x) = cv::Vec3b::all(cv::saturate_cast<std::uint8_t>(255 * (1 - loss * out * out)));
    }
  }
  cv::Mat shade;
  cv::resize(coarse, shade, picture.size(), 0, 0, cv::INTER_LINEAR);
  cv::multiply(picture, shade, picture, 1.0 / 255);
}

void add_noise(cv::Mat& picture, const Air& air, Random& random) {
  const float sigma = air.night() ? random.log_uniform(1.5F, 11) : random.log_uniform(0.7F, 7);
  const double share = sigma / kNoiseDeviation;
  cv::addWeighted(picture, 1, noise_texture(random, picture.size()), share, -128 * share, picture);
}

void sharpen(cv::Mat& picture, Random& random) {
  const double strength = random.uniform(0.2F, 0.7F);
  cv::Mat soft;
  cv::GaussianBlur(picture, soft, {3, 3}, 0.9);
  cv::addWeighted(picture, 1 + strength, soft, -strength, 0, picture);
}

void compress(cv::Mat& picture, Random& random) {
  const model::image::PixelView pixels{picture.data, picture.cols, picture.rows, picture.step[0]};
  const auto file = model::image::encode(pixels, common::FileType::kJpeg, random.integer(35, 92));
  const auto seen = file ? model::image::decode(*file, {}) : file.error();
  // Without this step the picture keeps its sharpness.
  if (!seen) return;
  const auto view = seen->view();
  for (int y = 0; y < view.height; ++y) {
    const auto* row = view.bgr + static_cast<std::size_t>(y) * view.stride_bytes;
    std::copy(row, row + view.stride_bytes, picture.ptr<std::uint8_t>(y));
  }
}

}  // namespace

void shoot(cv::Mat& picture, const Plan& plan, const std::vector<RenderedLight>& lights, Random& random) {
  scatter(picture, plan, lights, random);
  if (random.chance(0.3F)) darken_corners(picture, random);
  const bool gently = std::any_of(lights.begin(), lights.end(), [&](const RenderedLight& light) {
    return light.glow.radius > 0 && light.glow.radius * plan.view.standard() < kSmallLensRadius;
  });
  blur(picture, random, 1 / plan.view.standard(), gently);
  grade(picture, random);
  add_noise(picture, plan.air, random);
  if (random.chance(0.15F)) sharpen(picture, random);
  if (random.chance(0.4F)) compress(picture, random);
}

}  // namespace yolod::scenes
