#include "model/image/placement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace yolod::model::image {
namespace {

int scaled(int side, int to, int from) {
  return std::max(1, static_cast<int>(static_cast<std::int64_t>(side) * to / from));
}

// Rounds a number that is not negative. The default rounding mode rounds halves to the even neighbour.
int half_to_even(double number) { return static_cast<int>(std::nearbyint(number)); }

// Returns the first of `length` pixels in the middle of `of` pixels; negative if `length` is larger.
int crop_offset(int length, int of, Rounding rounding) {
  const int beyond = length - of;
  return -(rounding == Rounding::kTruncated ? beyond / 2 : half_to_even(beyond / 2.0));
}

Placement crop(Size image, Size input, Rounding rounding, double fraction) {
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
  return {crop_offset(width, input.width, rounding), crop_offset(height, input.height, rounding), width, height};
}

Size truncated_letterbox(Size image, Size input) {
  const bool width_binds =
      static_cast<std::int64_t>(input.width) * image.height < static_cast<std::int64_t>(input.height) * image.width;
  if (width_binds) return {input.width, scaled(image.height, input.width, image.width)};
  return {scaled(image.width, input.height, image.height), input.height};
}

// Computes in doubles and in the order of LetterBox, because another order would round some sides differently.
Size rounded_letterbox(Size image, Size input) {
  const double ratio =
      std::min(static_cast<double>(input.height) / image.height, static_cast<double>(input.width) / image.width);
  return {std::max(1, half_to_even(image.width * ratio)), std::max(1, half_to_even(image.height * ratio))};
}

}  // namespace

Placement place(Fit fit, Size image, Size input, Rounding rounding, double crop_fraction) {
  if (fit == Fit::kStretch) return {0, 0, input.width, input.height};
  if (fit == Fit::kCrop) return crop(image, input, rounding, crop_fraction);
  const auto [width, height] =
      rounding == Rounding::kTruncated ? truncated_letterbox(image, input) : rounded_letterbox(image, input);
  // LetterBox rounds half of the rest less 0.1: for an odd rest that gives the smaller half, as Darknet's division
  // does.
  return {(input.width - width) / 2, (input.height - height) / 2, width, height};
}

}  // namespace yolod::model::image
