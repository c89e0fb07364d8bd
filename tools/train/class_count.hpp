// Changes the number of classes of a cfg.
#pragma once

#include <string>

#include "common/outcome.hpp"

namespace yolod::train {

// Returns the text of the cfg with `classes` in each head ([yolo], [Gaussian_yolo], [region]) and the matching
// number of filters in the convolution before the head. It changes nothing else, and keeps comments. Returns
// kBadModel with `source:line: [section]: what` if the text is not a cfg, or if a head has no convolution before it.
// Pure.
[[nodiscard]] common::Outcome<std::string> with_class_count(const std::string& text, const std::string& source_name,
                                                            int classes);

}  // namespace yolod::train
