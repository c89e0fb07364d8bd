// From pixels to a file's bytes, by OpenCV. No OpenCV header here.
#pragma once

#include <cstddef>
#include <vector>

#include "common/outcome.hpp"
#include "common/prediction.hpp"
#include "model/image/pixels.hpp"

namespace yolod::model::image {

// `type` is kJpeg (quality 95) or kPng. An Error is kInternal.
[[nodiscard]] common::Outcome<std::vector<std::byte>> encode(const PixelView& pixels, common::FileType type);

}  // namespace yolod::model::image
