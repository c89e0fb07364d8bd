// Draws a planned scene as an ideal camera would see it.
#pragma once

#include <vector>

#include "tools/scenes/plan.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// The unit is a pixel of a standard picture. Only a small part of a lit lens below this radius may be hidden or
// blurred.
inline constexpr float kSmallLensRadius = 2;

// The light that a lit lens scatters in the camera.
struct LensGlow {
  cv::Point2f center;
  float radius{0};  // of the lens, in pixels
  Color color;
  float share{1};  // the share of the lens that is not hidden
  bool arrow{false};
};

struct RenderedLight {
  std::size_t planned{0};  // its index in the plan
  LabelledLight label;
  float lens_visible{1};
  float outline{0};  // the share of the outline that differs from the background
  LensGlow glow;     // its radius is 0 if the light is off
};

struct Rendering {
  cv::Mat picture;
  std::vector<RenderedLight> lights;
};

// For tests: the same scene with each light off, or without the lights.
enum class Shown { kAsPlanned, kUnlit, kLeftOut };

// Draws the plan's lights whose indices are in `drawn`.
[[nodiscard]] Rendering render(const Plan& plan, const std::vector<std::size_t>& drawn,
                               Shown shown = Shown::kAsPlanned);

// As render(), but only with lights that are visible enough.
[[nodiscard]] Rendering render_visible(const Plan& plan, std::vector<std::size_t>& drawn);

}  // namespace yolod::scenes
