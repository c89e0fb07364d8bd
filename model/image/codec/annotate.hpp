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

// Returns a JPEG of `picture` with a box and a label for each detection. If a class_id has no label in `labels`, its
// number is shown.
[[nodiscard]] common::Outcome<std::vector<std::byte>> annotate(const Picture& picture,
                                                               std::span<const common::Detection> detections,
                                                               std::span<const std::string> labels);

}  // namespace yolod::model::image
