// Whole small files of a model: cfg, names. Weights are read piecewise instead (darknet/weights.hpp).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/outcome.hpp"

namespace yolod::model {

// The file's bytes. Not a regular file, unreadable, or more than `max_bytes`: kBadModel, naming the file.
[[nodiscard]] common::Outcome<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes);

// The same of a file of text, without a byte order mark. UTF-16, which some Windows programs write, is kBadModel.
[[nodiscard]] common::Outcome<std::string> read_text(const std::filesystem::path& file, std::size_t max_bytes);

}  // namespace yolod::model
