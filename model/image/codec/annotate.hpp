// Draws the detections on a picture.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/image/codec/decode.hpp"

namespace yolod::model::image {

// At most this many boxes are drawn, so that drawing takes bounded time.
inline constexpr std::size_t kMostDrawn = 1000;

// Returns `picture` as a file of this type, kJpeg or kPng, with a box and a label for each of the first kMostDrawn
// detections. If a class_id has no label in `labels`, its number is shown.
[[nodiscard]] common::Outcome<std::vector<std::byte>> annotate(const Picture& picture,
                                                               std::span<const common::Detection> detections,
                                                               std::span<const std::string> labels,
                                                               common::FileType type = common::FileType::kJpeg);

}  // namespace yolod::model::image
