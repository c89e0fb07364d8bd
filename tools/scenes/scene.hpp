// Draws street scenes with traffic lights, for the training and the tests of the demo network.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string_view>
#include <vector>

namespace yolod::scenes {

// The state of a traffic light. The value is the class number.
enum class Light : std::uint8_t { kRed, kYellow, kGreen, kRedArrow, kGreenArrow, kOff };

inline constexpr std::size_t kLightCount = 6;
inline constexpr std::array<std::string_view, kLightCount> kLightNames{"red",       "yellow",      "green",
                                                                       "red-arrow", "green-arrow", "off"};

struct LabelledLight {
  Light light{Light::kOff};
  // The whole housing with its backplate and visors, including hidden parts, in pixels of the picture and clipped to
  // it.
  cv::Rect2f box;
  float visible{1};  // the share of the housing that neither an object nor the picture's edge hides, 0.4 to 1
};

struct Scene {
  cv::Mat picture;  // 8-bit BGR
  std::vector<LabelledLight> lights;
  bool night{false};
};

struct SceneOptions {
  int width{416};  // kStandardWidth; width and height must be at least 64
  int height{312};
};

// Seed 0 is for the demo pictures, kValidationSeed for the validations of the training, and larger seeds for tests.
// The training uses the seeds between, so that it never sees the pictures of a validation or test.
inline constexpr std::uint64_t kDemoSeed = 0;
inline constexpr std::uint64_t kValidationSeed = 999'999;
inline constexpr std::uint64_t kFirstTestSeed = 1'000'000;

// Lengths are for a picture of this width; in a wider picture they grow in proportion.
inline constexpr float kStandardWidth = 416;
// Returns the factor from pixels of a picture with this width to pixels of a standard picture.
[[nodiscard]] inline float standard_scale(int width) { return kStandardWidth / static_cast<float>(width); }

// These lengths are in pixels of a standard picture.
inline constexpr float kSmallSide = 16;        // a light counts as small if its longer side is shorter
inline constexpr float kShortestSide = 7;      // a light whose longer side is shorter is never drawn
inline constexpr float kPartlyHidden = 0.85F;  // a light counts as partly hidden if `visible` is below it
inline constexpr float kLeastVisible = 0.4F;   // a light that shows less, or whose lit lens is hidden, is never drawn

// Draws a street seen from a car, by day, at dusk or at night, in any weather. Every light in the picture has a
// label. So a light that shows too little, or that is off and hardly differs from the background, is not drawn. An
// arrow is drawn only if its lens is at least 7 pixels wide.
//
// The same seed, index and options give the same picture on every machine with the same OpenCV. Any thread may call
// it. It uses OpenCV's threads as they are set (cv::setNumThreads). It throws OpenCV's exceptions if memory runs out.
[[nodiscard]] Scene draw_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options = {});

}  // namespace yolod::scenes
