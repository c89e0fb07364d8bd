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

// All mistakes of one file, in its order: what parse_yolo_labels() refuses (a class beyond `class_count`, pixels for
// fractions, too few or too many values), and what it takes: boxes without an area, boxes that reach out of the picture
// by more than a hundredth of it, the same box twice, and a file without labels. Any bytes are safe to pass. Pure.
[[nodiscard]] std::vector<LabelMistake> label_mistakes(std::string_view text, std::size_t class_count);

}  // namespace yolod::model::eval
