#include "tools/scenes/render.hpp"

#include <algorithm>
#include <numeric>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "tools/scenes/backdrop.hpp"
#include "tools/scenes/draw_head.hpp"
#include "tools/scenes/road.hpp"

namespace yolod::scenes {
namespace {

constexpr float kLeastLens = 0.5F;       // the share of the lit lens that must be visible
constexpr float kLeastDifficult = 0.7F;  // the same for an arrow or a small lens
constexpr float kLeastOutline = 0.5F;    // the share of an unlit light that must differ from the background

// The marks of a light on the canvas.
std::uint8_t housing_mark(std::size_t i) { return static_cast<std::uint8_t>(2 * i + 1); }
std::uint8_t lens_mark(std::size_t i) { return static_cast<std::uint8_t>(2 * i + 2); }

struct Drawn {
  RenderedLight light;
  cv::Rect area;
  float pixels{0};  // of the housing without hiding objects
  float lens_pixels{0};
};

Drawn draw_light(Canvas& canvas, const Plan& plan, std::size_t index, bool lit) {
  const auto& planned = plan.lights[index];
  const auto head = draw_head(planned.head, planned.place(plan.view), plan.air, lit);
  Drawn drawn;
  drawn.light.outline = canvas.put(head.patch, housing_mark(index), head.lens, lens_mark(index));
  drawn.area = head.patch.area();
  drawn.light.planned = index;
  drawn.light.label.light = planned.head.light;
  drawn.light.label.box = head.patch.covered() & cv::Rect2f(canvas.bounds());
  drawn.light.glow = {head.lens_center, head.lens_radius, head.glow, 1, planned.head.arrow()};
  drawn.pixels = head.patch.covered_pixels();
  drawn.lens_pixels = head.lens.empty() ? 0 : static_cast<float>(cv::contourArea(head.lens));
  return drawn;
}

bool shows_enough(const RenderedLight& light, float standard) {
  const auto& box = light.label.box;
  if (light.label.visible < kLeastVisible || std::max(box.width, box.height) * standard < kShortestSide) return false;
  if (light.label.light == Light::kOff) return light.outline >= kLeastOutline;
  const bool difficult = light.glow.arrow || light.glow.radius * standard < kSmallLensRadius;
  return light.glow.radius == 0 || light.lens_visible >= (difficult ? kLeastDifficult : kLeastLens);
}

}  // namespace

Rendering render(const Plan& plan, const std::vector<std::size_t>& drawn, Shown shown) {
  Canvas canvas(plan.view.size);
  const Stage stage{canvas, plan.view, plan.air};
  Random backdrop(plan.backdrop_seed);
  draw_sky(stage, backdrop);
  draw_skyline(stage, backdrop);
  draw_road(stage, backdrop, plan.street);

  // A thing to draw: an item of the plan, or a light.
  struct Step {
    float depth;
    const Item* item;
    std::size_t light;
  };
  std::vector<Step> steps;
  for (const auto& item : plan.items) steps.push_back({item.depth, &item, 0});
  if (shown != Shown::kLeftOut) {
    for (const auto index : drawn) steps.push_back({plan.lights[index].z, nullptr, index});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.depth > b.depth; });

  std::vector<Drawn> lights;
  for (const auto& step : steps) {
    if (step.item == nullptr) {
      lights.push_back(draw_light(canvas, plan, step.light, shown == Shown::kAsPlanned));
      continue;
    }
    Random own(step.item->seed);
    step.item->draw(stage, own);
  }

  Rendering rendering{canvas.picture(), {}};
  for (auto& light : lights) {
    const auto lens = static_cast<float>(canvas.count(lens_mark(light.light.planned), light.area));
    const float all = lens + static_cast<float>(canvas.count(housing_mark(light.light.planned), light.area));
    light.light.label.visible = std::min(1.0F, all / std::max(light.pixels, 1.0F));
    light.light.lens_visible = light.lens_pixels > 0 ? std::min(1.0F, lens / light.lens_pixels) : 1;
    light.light.glow.share = light.light.lens_visible;
    rendering.lights.push_back(light.light);
  }
  return rendering;
}

Rendering render_visible(const Plan& plan, std::vector<std::size_t>& drawn) {
  drawn.resize(plan.lights.size());
  std::iota(drawn.begin(), drawn.end(), std::size_t{0});
  for (;;) {
    auto rendering = render(plan, drawn);
    const auto before = drawn.size();
    drawn.clear();
    for (const auto& light : rendering.lights) {
      if (shows_enough(light, plan.view.standard())) drawn.push_back(light.planned);
    }
    if (drawn.size() == before) return rendering;
  }
}

}  // namespace yolod::scenes
