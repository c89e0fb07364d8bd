// Encodes pixels to a file's bytes, with libjpeg and libpng.
#pragma once

#include <cstddef>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/image/pixels.hpp"

namespace yolod::model::image {

// `type` is kJpeg (with `jpeg_quality`, 1 to 100) or kPng. An Error has the code kInternal. May throw std::bad_alloc.
[[nodiscard]] common::Outcome<std::vector<std::byte>> encode(const PixelView& pixels, common::FileType type,
                                                             int jpeg_quality = 95);

}  // namespace yolod::model::image
