#include "tools/train/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "model/image/resize.hpp"

namespace yolod::train {
namespace {

using model::image::Size;

constexpr double kMosaicChance = 0.75;
constexpr double kFlipChance = 0.5;
constexpr double kAroundLightChance = 0.6;  // a part is cut so that it holds the middle of some light
// Times the size at which the server would see the scene. A part that would take more than the whole scene takes the
// whole: one as large as the input is never seen below 1.
constexpr double kSmallestZoom = 0.72;
constexpr double kLargestZoom = 1.5;
constexpr double kAspectJitter = 1.12;

// How scenes come to lie in the input: sides scale apart.
struct Zoom {
  double x{1};
  double y{1};
};

struct Interval {
  int first{0};
  int length{0};
};

// What is cut out along one side: as much as fills `filled` pixels at `zoom`, or all that there is where that is less,
// and `around` inside it if that is given.
Interval cut(int side, int filled, double zoom, std::optional<float> around, RandomStream& random) {
  const int length = std::clamp(static_cast<int>(std::lround(filled / zoom)), 1, side);
  int low = 0;
  int high = side - length;
  if (around) {
    const int middle = static_cast<int>(*around);
    low = std::clamp(middle - length, low, high);
    high = std::clamp(middle, low, high);
  }
  return {low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low) + 1)), length};
}

cv::Rect cut_from(const scenes::Scene& scene, cv::Size filled, const Zoom& zoom, RandomStream& random) {
  std::optional<float> x;
  std::optional<float> y;
  if (!scene.lights.empty() && random.chance(kAroundLightChance)) {
    const auto& box = scene.lights[random.below(scene.lights.size())].box;
    x = box.x + box.width / 2;
    y = box.y + box.height / 2;
  }
  const auto columns = cut(scene.picture.cols, filled.width, zoom.x, x, random);
  const auto rows = cut(scene.picture.rows, filled.height, zoom.y, y, random);
  return {columns.first, rows.first, columns.length, rows.length};
}

// Brightness, contrast, saturation and the colour of the light, in one linear map of colours. Hue stays: it is what the
// classes are told apart by.
void recolour(cv::Mat& picture, RandomStream& random) {
  const double saturation = random.ratio_between(0.7, 1.4);
  const double gain = random.ratio_between(0.7, 1.4);
  const double offset = random.between(-18, 18);
  constexpr std::array<double, 3> kLuma{0.114, 0.587, 0.299};  // of blue, green, red (BT.601)
  cv::Matx<float, 3, 4> map;
  for (int to = 0; to < 3; ++to) {
    const double tint = gain * random.ratio_between(0.93, 1.07);
    for (int from = 0; from < 3; ++from) {
      const double grey = (1 - saturation) * kLuma[static_cast<std::size_t>(from)];
      map(to, from) = static_cast<float>(tint * (grey + (to == from ? saturation : 0)));
    }
    map(to, 3) = static_cast<float>(offset);
  }
  cv::transform(picture, picture, map);
}

// The lights of `source`, which fills `place` of the input.
void add_targets(const scenes::Scene& scene, const cv::Rect& source, const cv::Rect& place, bool mirrored,
                 std::vector<Target>& targets) {
  constexpr float kNothingLeft = 0.1F;
  const float scale_x = static_cast<float>(place.width) / static_cast<float>(source.width);
  const float scale_y = static_cast<float>(place.height) / static_cast<float>(source.height);
  const cv::Rect2f cut(source);
  for (const auto& light : scene.lights) {
    const auto left = light.box & cut;
    const float share = left.area() / light.box.area();
    if (!(share > kNothingLeft)) continue;
    Target target;
    target.class_id = static_cast<std::uint32_t>(light.light);
    target.width = left.width * scale_x;
    target.height = left.height * scale_y;
    const float x = (left.x + left.width / 2 - cut.x) * scale_x;
    target.x = static_cast<float>(place.x) + (mirrored ? static_cast<float>(place.width) - x : x);
    target.y = static_cast<float>(place.y) + (left.y + left.height / 2 - cut.y) * scale_y;
    // Most of a whole light is asked for; a part must show enough to be told by.
    target.ignored =
        share * light.visible < scenes::kLeastVisible || std::max(target.width, target.height) < kShortestTarget;
    targets.push_back(target);
  }
}

// A part of a scene, in its place in the canvas.
void paste(const scenes::Scene& scene, cv::Mat& canvas, const cv::Rect& place, RandomStream& random,
           std::vector<Target>& targets) {
  const double zoom = random.ratio_between(kSmallestZoom, kLargestZoom);
  const double aspect = std::sqrt(random.ratio_between(1 / kAspectJitter, kAspectJitter));
  const auto source = cut_from(
      scene, place.size(),
      {zoom * aspect * canvas.cols / scene.picture.cols, zoom / aspect * canvas.rows / scene.picture.rows}, random);
  const bool mirrored = random.chance(kFlipChance);
  cv::Mat part = canvas(place);
  cv::resize(scene.picture(source), part, place.size(), 0, 0, cv::INTER_LINEAR);
  if (mirrored) cv::flip(part, part, 1);
  recolour(part, random);
  add_targets(scene, source, place, mirrored, targets);
}

// A canvas is of the input's size already.
void to_input(const cv::Mat& canvas, std::span<float> pixels) {
  cv::Mat input(canvas.rows, canvas.cols, CV_32FC3, pixels.data());
  cv::Mat rgb;
  cv::cvtColor(canvas, rgb, cv::COLOR_BGR2RGB);
  rgb.convertTo(input, CV_32F, 1.0 / 255);
}

std::vector<Target> compose_mixed(const ChooseScene& choose, Size input, RandomStream& random,
                                  std::span<float> pixels) {
  std::vector<Target> targets;
  cv::Mat canvas(input.height, input.width, CV_8UC3);
  if (!random.chance(kMosaicChance)) {
    paste(*choose(random), canvas, {0, 0, input.width, input.height}, random, targets);
  } else {
    const int x = static_cast<int>(input.width * random.between(0.35, 0.65));
    const int y = static_cast<int>(input.height * random.between(0.35, 0.65));
    for (const auto& place : {cv::Rect(0, 0, x, y), cv::Rect(x, 0, input.width - x, y),
                              cv::Rect(0, y, x, input.height - y), cv::Rect(x, y, input.width - x, input.height - y)}) {
      paste(*choose(random), canvas, place, random, targets);
    }
  }
  to_input(canvas, pixels);
  return targets;
}

std::vector<Target> compose_plain(const scenes::Scene& scene, Size input, RandomStream& random,
                                  std::span<float> pixels) {
  std::vector<Target> targets;
  const bool mirrored = random.chance(kFlipChance);
  cv::Mat picture = scene.picture;
  if (mirrored) {
    picture = cv::Mat();
    cv::flip(scene.picture, picture, 1);
  }
  model::image::resize_into({picture.data, picture.cols, picture.rows, picture.step[0]},
                            {0, 0, input.width, input.height}, input, {}, model::image::Sampling::kCornersAligned,
                            pixels);
  add_targets(scene, {{0, 0}, scene.picture.size()}, {0, 0, input.width, input.height}, mirrored, targets);
  return targets;
}

}  // namespace

std::vector<Target> compose(const ChooseScene& choose, Stage stage, Size input, RandomStream& random,
                            std::span<float> pixels) {
  switch (stage) {
    case Stage::kMixed: return compose_mixed(choose, input, random, pixels);
    case Stage::kPlain: return compose_plain(*choose(random), input, random, pixels);
  }
  return {};
}

}  // namespace yolod::train
