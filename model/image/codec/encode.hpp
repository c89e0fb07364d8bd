// From pixels to a file's bytes, by libjpeg and libpng.
#pragma once

#include <cstddef>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/image/pixels.hpp"

namespace yolod::model::image {

// `type` is kJpeg (`jpeg_quality`, 1 to 100) or kPng. An Error is kInternal. std::bad_alloc may be thrown.
[[nodiscard]] common::Outcome<std::vector<std::byte>> encode(const PixelView& pixels, common::FileType type,
                                                             int jpeg_quality = 95);

}  // namespace yolod::model::image
