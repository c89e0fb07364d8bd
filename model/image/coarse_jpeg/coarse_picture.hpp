// A quarter or an eighth of a camera's JPEG, without decoding it whole.
//
// Of each block of 8 x 8 pixels three coefficients are enough for 2 x 2, so most of the file's codes need only be
// passed over, and nothing of the picture's full size is ever made. libjpeg's scaled decoding saves the pixels, not the
// codes: this takes a quarter of its time (docs/benchmarks.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "model/image/coarse_jpeg/scan.hpp"

namespace yolod::model::image::coarse {

// Y, Cb and Cr as JFIF has them, each in rows of its own. Those of Cb and Cr hold one value for every `across` of Y and
// there is a row of them for every `down`.
struct CoarsePicture {
  int width{0};
  int height{0};
  int orientation{1};  // EXIF's, not applied
  int across{1};
  int down{1};
  struct Plane {
    std::unique_ptr<std::uint8_t[]> values;
    std::size_t stride{0};
    [[nodiscard]] const std::uint8_t* row(int y) const { return values.get() + static_cast<std::size_t>(y) * stride; }
  };
  std::array<Plane, kColours> planes;
};

// Its sides are the file's divided by `reduction`, 4 or 8, and rounded up. Each pixel is the mean of those that it
// stands for, as far as the three coefficients tell. Nothing for another kind of JPEG than BaselineFile, for one with a
// fault, and once `budget`, if there is one, is spent.
[[nodiscard]] std::optional<CoarsePicture> read_coarse_picture(std::span<const std::uint8_t> file, int reduction,
                                                               Reading reading = Reading::kFastest,
                                                               codec::Budget* budget = nullptr);

}  // namespace yolod::model::image::coarse
