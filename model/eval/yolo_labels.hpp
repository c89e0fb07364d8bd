// Reads label files in YOLO format: a line for each object, `class cx cy w h`, with the box as fractions of the
// picture.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"
#include "model/eval/average_precision.hpp"

namespace yolod::model::eval {

inline constexpr std::size_t kMaxLabelFileBytes = std::size_t{16} << 20U;

// Returns boxes as fractions, given by their corners. A box may extend beyond the picture, as in labels that were cut
// out of larger pictures. A box whose centre or size is beyond 2 is refused, because its labels are probably in
// pixels. Blank lines and a byte order mark are ignored. Any bytes are safe to pass. An Error has code
// kInvalidParameter and the form `source_name:line: what`.
[[nodiscard]] common::Outcome<std::vector<Truth>> parse_yolo_labels(std::string_view text, std::size_t class_count,
                                                                    std::string_view source_name);

}  // namespace yolod::model::eval
