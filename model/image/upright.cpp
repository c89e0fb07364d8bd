#include "model/image/upright.hpp"

#include <algorithm>
#include <cstring>

namespace yolod::model::image {
namespace {

constexpr std::size_t kPixel = 3;

void mirror_row(std::uint8_t* row, std::size_t width) {
  for (std::size_t left = 0, right = width; left + 1 < right; ++left) {
    --right;
    std::swap_ranges(row + kPixel * left, row + kPixel * (left + 1), row + kPixel * right);
  }
}

}  // namespace

bool make_upright(std::unique_ptr<std::uint8_t[]>& bgr, std::size_t width, std::size_t height, int orientation,
                  codec::Budget& budget) {
  const auto row_bytes = kPixel * width;
  auto* const from = bgr.get();
  if (!is_transposed(orientation)) {
    const bool mirrored = orientation == 2 || orientation == 3;
    const bool upside_down = orientation == 3 || orientation == 4;
    for (std::size_t y = 0; mirrored && y < height; ++y) {
      mirror_row(from + y * row_bytes, width);
      if (budget.spent(row_bytes)) return false;
    }
    for (std::size_t y = 0; upside_down && y < height / 2; ++y) {
      std::swap_ranges(from + y * row_bytes, from + (y + 1) * row_bytes, from + (height - 1 - y) * row_bytes);
      if (budget.spent(row_bytes)) return false;
    }
    return true;
  }
  auto turned = std::make_unique_for_overwrite<std::uint8_t[]>(row_bytes * height);
  // Column x becomes a row, read upwards or downwards.
  const bool from_bottom = orientation == 6 || orientation == 7;
  const bool last_column_first = orientation == 7 || orientation == 8;
  // The square's source and target both fit in the cache.
  constexpr std::size_t kSquare = 32;
  for (std::size_t top = 0; top < height; top += kSquare) {
    const auto bottom = std::min(height, top + kSquare);
    for (std::size_t left = 0; left < width; left += kSquare) {
      const auto right = std::min(width, left + kSquare);
      for (std::size_t x = left; x < right; ++x) {
        auto* const row = turned.get() + (last_column_first ? width - 1 - x : x) * kPixel * height;
        for (std::size_t y = top; y < bottom; ++y) {
          std::memcpy(row + kPixel * (from_bottom ? height - 1 - y : y), from + y * row_bytes + kPixel * x, kPixel);
        }
      }
    }
    if (budget.spent(row_bytes * (bottom - top))) return false;
  }
  bgr = std::move(turned);
  return true;
}

}  // namespace yolod::model::image
