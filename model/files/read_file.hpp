// Reads the small files of a model (cfg, names) as a whole. darknet/weights.hpp reads weights in pieces.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/outcome.hpp"

namespace yolod::model {

// Returns the file's bytes. An unreadable file, a path that is not a regular file, or more than `max_bytes` is an
// Error (kBadModel) that names the file.
[[nodiscard]] common::Outcome<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes);

// As read_file(), for text; removes a byte order mark. UTF-16, which some Windows programs write, is an Error
// (kBadModel).
[[nodiscard]] common::Outcome<std::string> read_text(const std::filesystem::path& file, std::size_t max_bytes);

}  // namespace yolod::model
