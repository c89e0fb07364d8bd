// The labels of a Darknet network.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model::darknet {

// Reads a list of labels, one a line, or a Darknet .data file, whose `names` key names such a list (relative to the
// folder of the .data file, or to the working directory as Darknet has it). Empty lines at the end do not count; there
// must be `class_count` labels; 0: however many. A byte order mark is passed over. Errors are kBadModel; what is wrong
// with a label (not UTF-8, longer than common::kMaxLabelBytes) is `file:line: what`.
[[nodiscard]] common::Outcome<std::vector<std::string>> read_names(const std::filesystem::path& file,
                                                                   std::size_t class_count);

// The list that a .data file names; empty where `file` is a list itself or cannot be read.
[[nodiscard]] std::filesystem::path list_named_by(const std::filesystem::path& file);

}  // namespace yolod::model::darknet
