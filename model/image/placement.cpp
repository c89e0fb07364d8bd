#include "model/image/placement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace yolod::model::image {
namespace {

int scaled(int side, int to, int from) {
  return std::max(1, static_cast<int>(static_cast<std::int64_t>(side) * to / from));
}

Placement crop(Size image, Size input, double fraction) {
  const auto grown = [fraction](int side) { return static_cast<int>(std::lround(side / fraction)); };
  int width = grown(input.width);
  int height = grown(input.height);
  const bool width_binds =
      static_cast<std::int64_t>(input.width) * image.height >= static_cast<std::int64_t>(input.height) * image.width;
  if (width_binds) {
    height = std::max(height, scaled(image.height, width, image.width));
  } else {
    width = std::max(width, scaled(image.width, height, image.height));
  }
  return {-((width - input.width) / 2), -((height - input.height) / 2), width, height};
}

}  // namespace

Placement place(Fit fit, Size image, Size input, double crop_fraction) {
  if (fit == Fit::kStretch) return {0, 0, input.width, input.height};
  if (fit == Fit::kCrop) return crop(image, input, crop_fraction);
  int width = input.width;
  int height = input.height;
  const bool width_binds =
      static_cast<std::int64_t>(input.width) * image.height < static_cast<std::int64_t>(input.height) * image.width;
  if (width_binds) {
    height = scaled(image.height, input.width, image.width);
  } else {
    width = scaled(image.width, input.height, image.height);
  }
  return {(input.width - width) / 2, (input.height - height) / 2, width, height};
}

}  // namespace yolod::model::image
