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

using model::image::Fit;
using model::image::Size;

constexpr double kAroundObjectChance = 0.6;  // chance that a part contains the centre of some object
constexpr double kAspectJitter = 1.12;
constexpr double kGrey = 127.5;  // fills the area around a letterboxed picture

// The scales of a picture's sides in the input.
struct Zoom {
  double x{1};
  double y{1};
};

struct Interval {
  int first{0};
  int length{0};
};

// Chooses the interval to cut along one side. It is as long as fills `filled` pixels at `zoom`, or the whole side if
// that is shorter. If `around` is given, the interval contains it.
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

cv::Rect cut_from(const LabelledPicture& picture, cv::Size filled, const Zoom& zoom, RandomStream& random) {
  std::optional<float> x;
  std::optional<float> y;
  if (!picture.objects.empty() && random.chance(kAroundObjectChance)) {
    const auto& box = picture.objects[random.below(picture.objects.size())].box;
    x = box.x + box.width / 2;
    y = box.y + box.height / 2;
  }
  const auto columns = cut(picture.picture.cols, filled.width, zoom.x, x, random);
  const auto rows = cut(picture.picture.rows, filled.height, zoom.y, y, random);
  return {columns.first, rows.first, columns.length, rows.length};
}

// Changes brightness, contrast, saturation and the colour of the light by one linear map of colours. The hue stays,
// because it distinguishes the classes.
void recolour(cv::Mat& picture, RandomStream& random) {
  const double saturation = random.ratio_between(0.7, 1.4);
  const double gain = random.ratio_between(0.7, 1.4);
  const double offset = random.between(-18, 18);
  constexpr std::array<double, 3> kLuma{0.114, 0.587, 0.299};  // for blue, green, red (BT.601)
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

// Adds the objects of the part `source` of a picture, which fills `place` in the input.
void add_targets(const LabelledPicture& picture, const cv::Rect& source, const cv::Rect& place, bool mirrored,
                 float shortest_target, std::vector<Target>& targets) {
  constexpr float kNothingLeft = 0.1F;
  const float scale_x = static_cast<float>(place.width) / static_cast<float>(source.width);
  const float scale_y = static_cast<float>(place.height) / static_cast<float>(source.height);
  const cv::Rect2f cut(source);
  for (const auto& object : picture.objects) {
    const auto left = object.box & cut;
    const float share = left.area() / object.box.area();
    if (!(share > kNothingLeft)) continue;
    Target target;
    target.class_id = object.class_id;
    target.width = left.width * scale_x;
    target.height = left.height * scale_y;
    const float x = (left.x + left.width / 2 - cut.x) * scale_x;
    target.x = static_cast<float>(place.x) + (mirrored ? static_cast<float>(place.width) - x : x);
    target.y = static_cast<float>(place.y) + (left.y + left.height / 2 - cut.y) * scale_y;
    // The target counts if most of the object is visible. A part of an object must show enough to be recognised.
    target.ignored =
        share * object.visible < scenes::kLeastVisible || std::max(target.width, target.height) < shortest_target;
    targets.push_back(target);
  }
}

// Returns the scales at a zoom of 1.
Zoom as_served(const cv::Mat& picture, const AugmentSettings& settings) {
  const Zoom stretched{static_cast<double>(settings.input.width) / picture.cols,
                       static_cast<double>(settings.input.height) / picture.rows};
  if (settings.fit == Fit::kStretch) return stretched;
  const double both = std::min(stretched.x, stretched.y);
  return {both, both};
}

// Returns the part of `place` that a picture fills. A stretched picture fills all of it. A letterboxed picture keeps
// its aspect ratio, and if it is smaller than `place`, it gets a random position.
cv::Rect filled_part(const cv::Rect& place, const cv::Mat& picture, const Zoom& zoom, Fit fit, RandomStream& random) {
  if (fit == Fit::kStretch) return place;
  const auto length = [](int side, double factor, int most) {
    return std::clamp(static_cast<int>(std::lround(side * factor)), 1, most);
  };
  const auto anywhere = [&random](int room) {
    return static_cast<int>(random.below(static_cast<std::uint64_t>(room) + 1));
  };
  const int width = length(picture.cols, zoom.x, place.width);
  const int height = length(picture.rows, zoom.y, place.height);
  return {place.x + anywhere(place.width - width), place.y + anywhere(place.height - height), width, height};
}

// Copies a part of a picture into its place in the canvas. If the part would be larger than the picture, it is the
// whole picture. So a stretched picture that fills the input has a zoom of at least 1.
void paste(const LabelledPicture& picture, const AugmentSettings& settings, cv::Mat& canvas, const cv::Rect& place,
           RandomStream& random, std::vector<Target>& targets) {
  const auto& pixels = picture.picture;
  const double zoom = random.ratio_between(settings.smallest_zoom, settings.largest_zoom);
  const double aspect = std::sqrt(random.ratio_between(1 / kAspectJitter, kAspectJitter));
  const auto served = as_served(pixels, settings);
  const Zoom both{zoom * aspect * served.x, zoom / aspect * served.y};
  const auto filled = filled_part(place, pixels, both, settings.fit, random);
  const auto source = cut_from(picture, filled.size(), both, random);
  const bool mirrored = random.chance(settings.flip_chance);
  cv::Mat part = canvas(filled);
  cv::resize(pixels(source), part, filled.size(), 0, 0, cv::INTER_LINEAR);
  if (mirrored) cv::flip(part, part, 1);
  recolour(part, random);
  add_targets(picture, source, filled, mirrored, settings.shortest_target, targets);
}

// The canvas already has the size of the input.
void to_input(const cv::Mat& canvas, std::span<float> pixels) {
  cv::Mat input(canvas.rows, canvas.cols, CV_32FC3, pixels.data());
  cv::Mat rgb;
  cv::cvtColor(canvas, rgb, cv::COLOR_BGR2RGB);
  rgb.convertTo(input, CV_32F, 1.0 / 255);
}

std::vector<Target> compose_mixed(const ChoosePicture& choose, const AugmentSettings& settings, RandomStream& random,
                                  std::span<float> pixels) {
  const auto& input = settings.input;
  std::vector<Target> targets;
  cv::Mat canvas(input.height, input.width, CV_8UC3, cv::Scalar::all(kGrey));
  if (!random.chance(settings.mosaic_chance)) {
    paste(*choose(random), settings, canvas, {0, 0, input.width, input.height}, random, targets);
  } else {
    const int x = static_cast<int>(input.width * random.between(0.35, 0.65));
    const int y = static_cast<int>(input.height * random.between(0.35, 0.65));
    for (const auto& place : {cv::Rect(0, 0, x, y), cv::Rect(x, 0, input.width - x, y),
                              cv::Rect(0, y, x, input.height - y), cv::Rect(x, y, input.width - x, input.height - y)}) {
      paste(*choose(random), settings, canvas, place, random, targets);
    }
  }
  to_input(canvas, pixels);
  return targets;
}

std::vector<Target> compose_plain(const LabelledPicture& picture, const AugmentSettings& settings, RandomStream& random,
                                  std::span<float> pixels) {
  std::vector<Target> targets;
  const bool mirrored = random.chance(settings.flip_chance);
  cv::Mat shown = picture.picture;
  if (mirrored) {
    shown = cv::Mat();
    cv::flip(picture.picture, shown, 1);
  }
  const auto place =
      model::image::place(settings.fit, {shown.cols, shown.rows}, settings.input, model::image::Rounding::kTruncated);
  model::image::resize_into({shown.data, shown.cols, shown.rows, shown.step[0]}, place, settings.input, {},
                            model::image::Sampling::kCornersAligned, pixels);
  add_targets(picture, {{0, 0}, shown.size()}, {place.x, place.y, place.width, place.height}, mirrored,
              settings.shortest_target, targets);
  return targets;
}

}  // namespace

std::vector<Target> compose(const ChoosePicture& choose, Stage stage, const AugmentSettings& settings,
                            RandomStream& random, std::span<float> pixels) {
  switch (stage) {
    case Stage::kMixed: return compose_mixed(choose, settings, random, pixels);
    case Stage::kPlain: return compose_plain(*choose(random), settings, random, pixels);
  }
  return {};
}

}  // namespace yolod::train
