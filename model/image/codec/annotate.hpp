// A picture with its detections drawn on it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/image/codec/decode.hpp"

namespace yolod::model::image {

// A JPEG of `picture` with a box and its label for each detection. A class_id past the end of `labels` shows its
// number.
[[nodiscard]] common::Outcome<std::vector<std::byte>> annotate(const Picture& picture,
                                                               std::span<const common::Detection> detections,
                                                               std::span<const std::string> labels);

}  // namespace yolod::model::image
