// The usual mistakes in YOLO-format label files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::model::eval {

struct LabelMistake {
  std::size_t line{1};  // in the file, from 1
  std::string what;
};

// Returns all mistakes in the text of a label file, in the order of its lines. Some of them are errors of
// parse_yolo_labels() too: a class beyond `class_count`, pixels instead of fractions, too few or too many values.
// parse_yolo_labels() accepts the others: boxes without an area, boxes that extend beyond the picture by more than a
// hundredth of its side, the same box twice, and a file without labels. Any bytes are safe to pass. The function is
// pure.
[[nodiscard]] std::vector<LabelMistake> label_mistakes(std::string_view text, std::size_t class_count);

}  // namespace yolod::model::eval
