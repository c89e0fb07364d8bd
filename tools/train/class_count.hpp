// A cfg for another number of classes.
#pragma once

#include <string>

#include "common/outcome.hpp"

namespace yolod::train {

// The text of a cfg with `classes` in each head ([yolo], [Gaussian_yolo], [region]) and the filters that this asks for
// in the convolution before it; all else stays as it is, comments too. Errors are kBadModel, `source:line: [section]:
// what`: a text that is no cfg, or a head without a convolution before it. Pure.
[[nodiscard]] common::Outcome<std::string> with_class_count(const std::string& text, const std::string& source_name,
                                                            int classes);

}  // namespace yolod::train
