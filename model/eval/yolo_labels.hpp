// Reads label files in YOLO format: a line for each object, `class cx cy w h`, with the box as fractions of the
// picture.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"
#include "model/eval/average_precision.hpp"

namespace yolod::model::eval {

inline constexpr std::size_t kMaxLabelFileBytes = std::size_t{16} << 20U;

// Parses a line that is not blank. An Error describes the fault without the line's number, because only the caller
// knows that number.
[[nodiscard]] common::Outcome<Truth> parse_yolo_label(std::string_view line, std::size_t class_count);

// Calls `take` with each line that is not blank, without the blanks around it, and its number in the file, from 1.
// The function stops when `take` returns false.
void for_each_label_line(std::string_view text,
                         const std::function<bool(std::size_t number, std::string_view line)>& take);

// Returns boxes by their corners, still as fractions. A box may extend beyond the picture, because some pictures
// were cut out of larger ones with their labels. A centre or a size beyond 2 is an error, because such a label is in
// pixels. Blank lines and a byte order mark do not count. Any bytes are safe to pass. An Error is kInvalidParameter,
// `source_name:line: what`.
[[nodiscard]] common::Outcome<std::vector<Truth>> parse_yolo_labels(std::string_view text, std::size_t class_count,
                                                                    std::string_view source_name);

}  // namespace yolod::model::eval
