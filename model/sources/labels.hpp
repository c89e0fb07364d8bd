// Reads the labels of a Darknet network.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model::darknet {

// Reads a list of labels, one label per line, or a Darknet .data file whose `names` key refers to such a list. The
// path in `names` is relative to the folder of the .data file, or to the working directory as in Darknet. Empty
// lines at the end do not count. There must be `class_count` labels; 0 accepts any number. A byte order mark is
// skipped. Errors have code kBadModel; a fault in a label (not UTF-8, longer than common::kMaxLabelBytes) has the
// form `file:line: what`.
[[nodiscard]] common::Outcome<std::vector<std::string>> read_names(const std::filesystem::path& file,
                                                                   std::size_t class_count);

// Returns the list to which a .data file refers; empty if `file` is a list itself or cannot be read.
[[nodiscard]] std::filesystem::path list_named_by(const std::filesystem::path& file);

}  // namespace yolod::model::darknet
