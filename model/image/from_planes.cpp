#include "model/image/from_planes.hpp"

#include <cstddef>

namespace yolod::model::image {
namespace {

std::uint8_t to_byte(float value, float black, float factor) {
  const float scaled = (value - black) * factor;
  if (!(scaled > 0)) return 0;  // also for NaN
  return scaled >= 255 ? 255 : static_cast<std::uint8_t>(scaled + 0.5F);
}

}  // namespace

OwnedPixels from_planes(std::span<const float> planes, Size size, const Placement& part, std::array<float, 2> range,
                        bool blue_first) {
  const auto width = static_cast<std::size_t>(size.width);
  const auto plane = width * static_cast<std::size_t>(size.height);
  const float factor = 255.0F / (range[1] - range[0]);
  const std::array<std::size_t, 3> order =
      blue_first ? std::array<std::size_t, 3>{0, 1, 2} : std::array<std::size_t, 3>{2, 1, 0};
  OwnedPixels pixels{{part.width, part.height}, {}};
  pixels.bgr.resize(3 * static_cast<std::size_t>(part.width) * static_cast<std::size_t>(part.height));
  auto* out = pixels.bgr.data();
  for (int y = part.y; y < part.y + part.height; ++y) {
    const auto row = static_cast<std::size_t>(y) * width + static_cast<std::size_t>(part.x);
    for (std::size_t x = row; x < row + static_cast<std::size_t>(part.width); ++x) {
      for (const auto channel : order) *out++ = to_byte(planes[channel * plane + x], range[0], factor);
    }
  }
  return pixels;
}

}  // namespace yolod::model::image
