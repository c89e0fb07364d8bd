#include "model/image/coarse_jpeg/coarse_picture.hpp"

#include <algorithm>

namespace yolod::model::image::coarse {
namespace {

// The factors from a block's three values to pixel values, in units of 1/8.
struct Scale {
  explicit Scale(const BaselineFile::Colour& colour)
      : dc(static_cast<int>(colour.quantization)),
        across(step_of(colour.quantization_across)),
        down(step_of(colour.quantization_down)) {}

  static int step_of(unsigned step) {
    // Larger factors are useless for eight bits and would overflow the 32-bit arithmetic.
    constexpr unsigned kMost = 2048;
    return static_cast<int>(std::min(step, kMost)) << lost_bits(step);
  }

  int dc;
  int across;
  int down;
};

std::uint8_t to_value(int eighths) { return static_cast<std::uint8_t>(std::clamp(eighths >> 3, 0, 255)); }

// Writes the blocks of one colour to their positions in the picture.
template <int kPixels>
class Painter {
 public:
  Painter(const BaselineFile::Colour& colour, CoarsePicture::Plane& plane) : scale_(colour), plane_(plane) {}

  void restart() { dc_ = 0; }

  void paint(Block block, std::size_t x, std::size_t y) {
    // The sum may overflow for a hostile file; for a valid picture it fits.
    dc_ = static_cast<std::int16_t>(dc_ + dc_difference(block));
    constexpr int kMost = 1 << 14;
    constexpr int kMiddle = 128 * 8 + 4;
    const int mean = std::clamp(dc_ * scale_.dc, -kMost, kMost) + kMiddle;
    auto* const first = plane_.values.get() + y * kPixels * plane_.stride + x * kPixels;
    if constexpr (kPixels == 1) {
      *first = to_value(mean);
    } else {
      const int slope_across = across(block) * scale_.across;
      const int slope_down = down(block) * scale_.down;
      auto* const second = first + plane_.stride;
      first[0] = to_value(mean + slope_across + slope_down);
      first[1] = to_value(mean - slope_across + slope_down);
      second[0] = to_value(mean + slope_across - slope_down);
      second[1] = to_value(mean - slope_across - slope_down);
    }
  }

 private:
  Scale scale_;
  CoarsePicture::Plane& plane_;
  std::int16_t dc_{0};
};

template <int kPixels>
void paint_all(const BaselineFile& file, const Scan& scan, CoarsePicture& picture) {
  Painter<kPixels> luma(file.colours[0], picture.planes[0]);
  Painter<kPixels> blue(file.colours[1], picture.planes[1]);
  Painter<kPixels> red(file.colours[2], picture.planes[2]);
  const auto across = static_cast<std::size_t>(file.luma_across);
  const auto down = static_cast<std::size_t>(file.luma_down);
  const auto mcus_across = file.mcus_across();
  std::size_t column = 0;
  std::size_t row = 0;
  for (const auto& run : scan.runs) {
    if (run.restarts) {
      luma.restart();
      blue.restart();
      red.restart();
    }
    for (const auto* block = run.blocks.data(); block != run.blocks.data() + run.blocks.size();) {
      for (std::size_t y = 0; y < down; ++y) {
        for (std::size_t x = 0; x < across; ++x) luma.paint(*block++, column * across + x, row * down + y);
      }
      blue.paint(*block++, column, row);
      red.paint(*block++, column, row);
      if (++column < mcus_across) continue;
      column = 0;
      ++row;
    }
  }
}

}  // namespace

std::optional<CoarsePicture> read_coarse_picture(std::span<const std::uint8_t> bytes, int reduction, Reading reading,
                                                 codec::Budget* budget) {
  const auto file = read_baseline_file(bytes);
  if (!file) return std::nullopt;
  const auto scan = read_scan(*file, reading, budget);
  if (!scan) return std::nullopt;
  CoarsePicture picture;
  picture.width = (file->width + reduction - 1) / reduction;
  picture.height = (file->height + reduction - 1) / reduction;
  picture.orientation = file->orientation;
  picture.across = file->luma_across;
  picture.down = file->luma_down;
  const auto pixels = static_cast<std::size_t>(8 / reduction);
  for (std::size_t i = 0; i < kColours; ++i) {
    const auto across = static_cast<std::size_t>(i == 0 ? file->luma_across : 1);
    const auto down = static_cast<std::size_t>(i == 0 ? file->luma_down : 1);
    auto& plane = picture.planes[i];
    plane.stride = file->mcus_across() * across * pixels;
    plane.values = std::make_unique_for_overwrite<std::uint8_t[]>(plane.stride * file->mcus_down() * down * pixels);
  }
  if (budget != nullptr && budget->look()) return std::nullopt;
  reduction == 4 ? paint_all<2>(*file, *scan, picture) : paint_all<1>(*file, *scan, picture);
  return picture;
}

}  // namespace yolod::model::image::coarse
