// A planned scene as an ideal eye would see it.
#pragma once

#include <vector>

#include "tools/scenes/plan.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

// Pixels of a standard picture. Of a lit lens smaller than this little may be hidden or blurred.
inline constexpr float kSmallLensRadius = 2;

// The light that a lit lens scatters in the camera.
struct LensGlow {
  cv::Point2f center;
  float radius{0};  // of the lens, pixels
  Color color;
  float share{1};  // of the lens that is not hidden
  bool arrow{false};
};

struct RenderedLight {
  std::size_t planned{0};  // which of the plan's
  LabelledLight label;
  float lens_visible{1};
  float outline{0};  // share of it that stands out from what is behind it
  LensGlow glow;     // of radius 0 if it is off
};

struct Rendering {
  cv::Mat picture;
  std::vector<RenderedLight> lights;
};

// For tests: what is otherwise the same scene, with each light off, or without them.
enum class Shown { kAsPlanned, kUnlit, kLeftOut };

// Draws those lights of the plan that `drawn` names.
[[nodiscard]] Rendering render(const Plan& plan, const std::vector<std::size_t>& drawn,
                               Shown shown = Shown::kAsPlanned);

// The same, of the lights that show enough of themselves.
[[nodiscard]] Rendering render_visible(const Plan& plan, std::vector<std::size_t>& drawn);

}  // namespace yolod::scenes
