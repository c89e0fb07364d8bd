#include "model/image/placement.hpp"

#include <algorithm>
#include <cstdint>

namespace yolod::model::image {

Placement place(Fit fit, Size image, Size input) {
  if (fit == Fit::kStretch) return {0, 0, input.width, input.height};
  const auto scaled = [](int side, int to, int from) {
    return std::max(1, static_cast<int>(static_cast<std::int64_t>(side) * to / from));
  };
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
