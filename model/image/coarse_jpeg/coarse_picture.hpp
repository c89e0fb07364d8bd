// Decodes a camera's JPEG at a quarter or an eighth of its size, without decoding it in full.
//
// Three coefficients of each block of 8 x 8 pixels suffice for 2 x 2 pixels. The decoder therefore only skips most
// of the file's codes, and it never builds the full-size picture. libjpeg's scaled decoding skips the pixels but not
// the codes; this decoder takes a quarter of its time (docs/benchmarks.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "model/image/coarse_jpeg/scan.hpp"

namespace yolod::model::image::coarse {

// Y, Cb and Cr as in JFIF, each in separate rows. Cb and Cr have one value for every `across` values of Y and one row
// for every `down` rows.
struct CoarsePicture {
  int width{0};
  int height{0};
  int orientation{1};  // from EXIF; it is not applied
  int across{1};
  int down{1};
  struct Plane {
    std::unique_ptr<std::uint8_t[]> values;
    std::size_t stride{0};
    [[nodiscard]] const std::uint8_t* row(int y) const { return values.get() + static_cast<std::size_t>(y) * stride; }
  };
  std::array<Plane, kColours> planes;
};

// Divides the sides of the file's picture by `reduction` (4 or 8) and rounds them up. Each pixel is the mean of the
// pixels that it replaces, as far as the three coefficients determine it. Returns nullopt for a JPEG that
// BaselineFile does not support, for a damaged file, and if `budget` is given and used up.
[[nodiscard]] std::optional<CoarsePicture> read_coarse_picture(std::span<const std::uint8_t> file, int reduction,
                                                               Reading reading = Reading::kFastest,
                                                               codec::Budget* budget = nullptr);

}  // namespace yolod::model::image::coarse
