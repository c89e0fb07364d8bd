// Reads files whose names come from a config or a folder. Another kind of file can have the name: to open a FIFO waits
// for a writer, and to open a device can have an effect. So these functions open regular files only and never wait for
// another process. Any thread may call them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::common {

// Opens a regular file, or a link to one. An Error has code kSystem, and a message without the path: "cannot be opened:
// No such file or directory", or "is not a regular file".
[[nodiscard]] Outcome<UniqueFd> open_plain_file(const std::filesystem::path& path);

// Returns the content of a regular file. An Error is as above, or says that the file cannot be read, or that it has
// more than `limit_bytes`.
[[nodiscard]] Outcome<std::string> read_plain_file(const std::filesystem::path& path, std::size_t limit_bytes);

}  // namespace yolod::common
