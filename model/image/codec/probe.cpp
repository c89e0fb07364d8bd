#include "model/image/codec/probe.hpp"

#include <string>

#include "model/image/budget.hpp"
#include "model/image/codec/errors.hpp"

namespace yolod::model::image::codec {

common::Outcome<void> check_size(std::uint64_t width, std::uint64_t height, std::uint64_t max_pixels) {
  if (width == 0 || height == 0) return invalid("the image has no pixels");
  const auto sides = std::to_string(width) + " x " + std::to_string(height) + " pixels";
  std::uint64_t pixels = 0;
  if (__builtin_mul_overflow(width, height, &pixels) || pixels > max_pixels) {
    return common::Error{common::ErrorCode::kImageTooLarge,
                         "the image has " + sides + ", at most " + std::to_string(max_pixels) + " are allowed"};
  }
  if (width > kMaxSide || height > kMaxSide) {
    return common::Error{common::ErrorCode::kImageTooLarge,
                         "the image has " + sides + ", a side may have at most " + std::to_string(kMaxSide)};
  }
  return {};
}

}  // namespace yolod::model::image::codec
