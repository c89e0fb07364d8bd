// YOLO-format label files: a line for each object, `class cx cy w h`, the box as fractions of the picture.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"
#include "model/eval/average_precision.hpp"

namespace yolod::model::eval {

inline constexpr std::size_t kMaxLabelFileBytes = std::size_t{16} << 20U;

// Boxes stay fractions, by their corners; they may reach beyond the picture, as labels that were cut out of larger ones
// do; one whose centre or size is beyond 2 is refused, as labels in pixels are. Blank lines and a byte order mark do
// not count. Any bytes are safe to pass. An Error is kInvalidParameter, `source_name:line: what`.
[[nodiscard]] common::Outcome<std::vector<Truth>> parse_yolo_labels(std::string_view text, std::size_t class_count,
                                                                    std::string_view source_name);

}  // namespace yolod::model::eval
