// Drawn street scenes with traffic lights: what the demo network is trained on and measured with.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string_view>
#include <vector>

namespace yolod::scenes {

// What a traffic light shows. The value is the class number.
enum class Light : std::uint8_t { kRed, kYellow, kGreen, kRedArrow, kGreenArrow, kOff };

inline constexpr std::size_t kLightCount = 6;
inline constexpr std::array<std::string_view, kLightCount> kLightNames{"red",       "yellow",      "green",
                                                                       "red-arrow", "green-arrow", "off"};

struct LabelledLight {
  Light light{Light::kOff};
  // Pixels of the picture, clipped to it: the whole housing with its backplate and visors, hidden or not.
  cv::Rect2f box;
  float visible{1};  // share of the housing that neither another thing nor the picture's edge hides, 0.4 to 1
};

struct Scene {
  cv::Mat picture;  // 8-bit BGR
  std::vector<LabelledLight> lights;
  bool night{false};
};

struct SceneOptions {
  int width{416};  // kStandardWidth; at least 64 each
  int height{312};
};

// Seeds: 0 is for the demo pictures, kValidationSeed for the validations of training, those above it for tests;
// training takes those between, so that it never sees what it is measured with.
inline constexpr std::uint64_t kDemoSeed = 0;
inline constexpr std::uint64_t kValidationSeed = 999'999;
inline constexpr std::uint64_t kFirstTestSeed = 1'000'000;

// Lengths are given for a picture of this width; in a wider one they grow with it.
inline constexpr float kStandardWidth = 416;
// Pixels of a picture this wide to those of a standard one.
[[nodiscard]] inline float standard_scale(int width) { return kStandardWidth / static_cast<float>(width); }

// Of a standard picture.
inline constexpr float kSmallSide = 16;        // a light whose longer side is shorter counts as small
inline constexpr float kShortestSide = 7;      // of the longer side: a smaller light is never drawn
inline constexpr float kPartlyHidden = 0.85F;  // `visible` below it counts as partly hidden
inline constexpr float kLeastVisible = 0.4F;   // a light that shows less, or whose lit lens is hidden, is never drawn

// A street seen from a car, by day, at dusk or at night, in any weather. Every light in it is labelled: one that shows
// too little of itself, or is off and does not stand out, is left out of the picture, and arrows are drawn only where
// their lens is at least 7 pixels wide. The same picture for the same seed, index and options, on any machine with the
// same OpenCV. Any thread; takes OpenCV's own threads as they are set (cv::setNumThreads). Throws what OpenCV throws
// where memory runs out.
[[nodiscard]] Scene draw_scene(std::uint64_t seed, std::uint64_t index, const SceneOptions& options = {});

}  // namespace yolod::scenes
